//! Extracting the upgrade, and the responses to requests that are not accepted.

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use hyper::Request;
use hyper::ext::Protocol;
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;

use super::WebSocketUpgrade;
use crate::hyper::handshake;
use crate::{Acceptor, UpgradeRejection};

impl WebSocketUpgrade {
    /// Takes the upgrade out of the request. Other extractors can still use the rest.
    fn extract(parts: &mut Parts) -> Result<Self, UpgradeRejection> {
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.version_mut() = parts.version;
        *request.headers_mut() = parts.headers.clone();
        if let Some(protocol) = parts.extensions.get::<Protocol>() {
            request.extensions_mut().insert(protocol.clone());
        }
        // The request is checked again with the configuration that the handler sets, which only affects compression.
        let acceptor = Acceptor::new();
        handshake(&request, &acceptor.config)?;
        let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(UpgradeRejection::NotUpgradable)?;
        request.extensions_mut().insert(upgrade);
        Ok(Self { acceptor, request, on_failed_upgrade: None })
    }
}

/// Rejects requests that are not valid opening handshakes.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, UpgradeRejection> {
        Self::extract(parts)
    }
}

/// Returns `None` for plain HTTP. Invalid opening handshakes are rejected.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Sync> OptionalFromRequestParts<S> for WebSocketUpgrade {
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, UpgradeRejection> {
        match Self::extract(parts) {
            Err(rejection) if rejection.is_plain_http() => Ok(None),
            extracted => extracted.map(Some),
        }
    }
}

/// The response of [`UpgradeRejection::into_http`].
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl IntoResponse for UpgradeRejection {
    fn into_response(self) -> Response {
        self.into_http().map(Body::from)
    }
}
