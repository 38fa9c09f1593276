//! The check of the `Origin` header (RFC 6454 section 7, RFC 6455 section 10.2).

use core::str;

use super::rejection::Rejection;

/// Checks the values of all `Origin` headers of a request against the allowed origins.
pub(crate) fn check_origin<'a>(
    mut values: impl Iterator<Item = &'a [u8]>,
    allowed: &[impl AsRef<str>],
) -> Result<(), Rejection> {
    let is_allowed = match (values.next(), values.next()) {
        (None, _) => true,
        (Some(value), None) => {
            let is_one = |origin| allowed.iter().any(|allowed| is_same_origin(origin, allowed.as_ref()));
            str::from_utf8(value).is_ok_and(is_one)
        }
        // With several headers, it is unclear which one is that of the page.
        (Some(_), Some(_)) => false,
    };
    if is_allowed { Ok(()) } else { Err(Rejection::new(403).body("pages of this origin may not connect\n")) }
}

/// Checks these values against the origins that a server has by its `Host`. Its scheme is unknown: a proxy may do TLS for it.
pub(crate) fn check_same_origin<'a>(values: impl Iterator<Item = &'a [u8]>, host: &str) -> Result<(), Rejection> {
    check_origin(values, &["http://", "https://"].map(|scheme| [scheme, host].concat()))
}

/// Compares two serialised origins (RFC 6454 section 6.2), which may contain only scheme, host and port. Scheme and
/// host are compared case-insensitively, and the default port may be omitted.
fn is_same_origin(one: &str, other: &str) -> bool {
    without_default_port(one).eq_ignore_ascii_case(without_default_port(other))
}

/// Returns whether two values of `Host` or `:authority` name the same host and port for this scheme.
#[cfg(feature = "http")]
pub(crate) fn is_same_host(scheme: &str, one: &str, other: &str) -> bool {
    let origin = |host| alloc::format!("{scheme}://{host}");
    is_same_origin(&origin(one), &origin(other))
}

fn without_default_port(origin: &str) -> &str {
    let port = match origin.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => ":80",
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => ":443",
        _ => return origin,
    };
    origin.strip_suffix(port).unwrap_or(origin)
}
