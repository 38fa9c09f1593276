//! Clients and servers over loopback TCP: from a URI to an open connection, and what is in the way.

#[cfg(feature = "proxy")]
mod proxies;
mod reconnecting;
mod redirects;
mod support;
mod tcp;
#[cfg(feature = "rustls-ring")]
mod tls;
#[cfg(feature = "rustls-ring")]
mod tls_server;
