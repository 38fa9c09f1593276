//! Between the header lists of HTTP/3 and the types of the `http` crate (RFC 9114 section 4.3).

use http::header::{HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use quiche::h3::{Header, NameValue};

/// A request or a response that is malformed (RFC 9114 section 4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Returns a request, and its `:protocol`.
pub(crate) fn request(list: &[Header]) -> Result<(Request<()>, Option<String>), Malformed> {
    let mut lines = Lines::new(list);
    let (mut method, mut scheme, mut authority, mut path, mut protocol) = (None, None, None, None, None);
    while let Some((name, value)) = lines.next_pseudo()? {
        let field = match name {
            b":method" => &mut method,
            b":scheme" => &mut scheme,
            b":authority" => &mut authority,
            b":path" => &mut path,
            b":protocol" => &mut protocol,
            _ => return Err(Malformed),
        };
        if field.replace(value).is_some() {
            return Err(Malformed);
        }
    }
    let mut request = Request::new(());
    *request.method_mut() = method.ok_or(Malformed)?.parse().map_err(|_| Malformed)?;
    *request.version_mut() = Version::HTTP_3;
    *request.uri_mut() = match (scheme, authority, path) {
        (Some(scheme), Some(authority), Some(path)) => {
            let path: PathAndQuery = path.parse().map_err(|_| Malformed)?;
            Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()
        }
        // RFC 9114 section 4.4: a CONNECT without `:protocol` has neither a scheme nor a path.
        (None, Some(authority), None) if *request.method() == Method::CONNECT && protocol.is_none() => {
            Uri::builder().authority(authority).build()
        }
        _ => return Err(Malformed),
    }
    .map_err(|_| Malformed)?;
    // RFC 8441 section 4: only a CONNECT has a protocol.
    if protocol.is_some() && *request.method() != Method::CONNECT {
        return Err(Malformed);
    }
    *request.headers_mut() = lines.rest()?;
    Ok((request, protocol.map(String::from)))
}

/// Returns a response.
pub(crate) fn response(list: &[Header]) -> Result<Response<()>, Malformed> {
    let mut lines = Lines::new(list);
    let Some((b":status", status)) = lines.next_pseudo()? else { return Err(Malformed) };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).map_err(|_| Malformed)?;
    *response.version_mut() = Version::HTTP_3;
    *response.headers_mut() = lines.rest()?;
    Ok(response)
}

/// Returns the header list of an extended CONNECT.
pub(crate) fn connect_list(request: &Request<()>, protocol: &str) -> Vec<Header> {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let pseudo = [
        (":method", request.method().as_str()),
        (":protocol", protocol),
        (":scheme", uri.scheme_str().unwrap_or("https")),
        (":authority", uri.authority().map_or("", |authority| authority.as_str())),
        (":path", path),
    ];
    list(&pseudo, request.headers())
}

/// Returns the header list of a response.
pub(crate) fn response_list<B>(response: &Response<B>) -> Vec<Header> {
    list(&[(":status", response.status().as_str())], response.headers())
}

fn list(pseudo: &[(&str, &str)], headers: &HeaderMap) -> Vec<Header> {
    let pseudo = pseudo.iter().map(|(name, value)| Header::new(name.as_bytes(), value.as_bytes()));
    // RFC 9114 section 4.2: no connection-specific headers. A rejection with 426 has them for HTTP/1.1.
    let headers = headers.iter().filter(|(name, _)| !matches!(name.as_str(), "connection" | "upgrade"));
    pseudo.chain(headers.map(|(name, value)| Header::new(name.as_str().as_bytes(), value.as_bytes()))).collect()
}

/// The lines of a head: pseudo-headers come first (RFC 9114 section 4.3).
struct Lines<'l>(&'l [Header]);

impl<'l> Lines<'l> {
    fn new(list: &'l [Header]) -> Self {
        Self(list)
    }

    fn next_pseudo(&mut self) -> Result<Option<(&'l [u8], &'l str)>, Malformed> {
        match self.0 {
            [line, rest @ ..] if line.name().starts_with(b":") => {
                self.0 = rest;
                let value = std::str::from_utf8(line.value()).map_err(|_| Malformed)?;
                Ok(Some((line.name(), value)))
            }
            _ => Ok(None),
        }
    }

    /// The headers that are left. A pseudo-header among them is no name of a header.
    fn rest(self) -> Result<HeaderMap, Malformed> {
        let mut headers = HeaderMap::new();
        for line in self.0 {
            // RFC 9114 section 4.2: names are in lower case.
            if line.name().iter().any(u8::is_ascii_uppercase) {
                return Err(Malformed);
            }
            let name = HeaderName::from_bytes(line.name()).map_err(|_| Malformed)?;
            headers.append(name, HeaderValue::from_bytes(line.value()).map_err(|_| Malformed)?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[(&str, &str)]) -> Vec<Header> {
        lines.iter().map(|(name, value)| Header::new(name.as_bytes(), value.as_bytes())).collect()
    }

    const CONNECT: [(&str, &str); 5] = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "a.example"),
        (":path", "/chat?b"),
    ];

    #[test]
    fn an_extended_connect_there_and_back() {
        let sent = lines(&[&CONNECT[..], &[("sec-websocket-version", "13"), ("origin", "null")]].concat());
        let (request, protocol) = request(&sent).unwrap();
        assert_eq!((request.method(), request.version()), (&Method::CONNECT, Version::HTTP_3));
        assert_eq!(request.uri(), "https://a.example/chat?b");
        assert_eq!(request.headers()["sec-websocket-version"], "13");
        assert_eq!(protocol.as_deref(), Some("websocket"));
        assert_eq!(connect_list(&request, "websocket"), sent);
    }

    #[test]
    fn malformed_requests() {
        let with = |more: &[(&str, &str)]| request(&lines(&[&CONNECT[..], more].concat())).err();
        assert_eq!(with(&[]), None);
        for wrong in [(":path", "/again"), (":status", "200"), ("Origin", "null"), ("a b", "c"), ("a", "b\nc")] {
            assert_eq!(with(&[wrong]), Some(Malformed), "{wrong:?}");
        }
        assert_eq!(with(&[("a", "b"), (":x", "y")]), Some(Malformed), "a pseudo-header after a header");
        for missing in [0, 2, 3, 4] {
            let mut left = CONNECT.to_vec();
            left.remove(missing);
            assert_eq!(request(&lines(&left)).err(), Some(Malformed), "without {}", CONNECT[missing].0);
        }
        let mut get = CONNECT;
        get[0].1 = "GET";
        assert_eq!(request(&lines(&get)).err(), Some(Malformed), "a protocol is for CONNECT");
    }

    #[test]
    fn a_connect_to_a_host_and_a_get() {
        let (plain, protocol) = request(&lines(&[CONNECT[0], CONNECT[3]])).unwrap();
        assert_eq!((plain.uri().to_string().as_str(), protocol), ("a.example", None));
        let get = [(":method", "GET"), CONNECT[2], CONNECT[3], (":path", "/")];
        assert_eq!(request(&lines(&get)).unwrap().0.uri(), "https://a.example/");
    }

    #[test]
    fn responses() {
        let answer = response(&lines(&[(":status", "403"), ("a", "b")])).unwrap();
        assert_eq!((answer.status(), &answer.headers()["a"]), (StatusCode::FORBIDDEN, &"b".parse().unwrap()));
        assert_eq!(response_list(&answer), lines(&[(":status", "403"), ("a", "b")]));
        for wrong in [&[("a", "b")][..], &[(":status", "20")], &[(":status", "200"), (":status", "200")]] {
            assert_eq!(response(&lines(wrong)).err(), Some(Malformed), "{wrong:?}");
        }
        let upgrade = Response::builder().status(426).header("upgrade", "websocket").header("connection", "Upgrade");
        assert_eq!(response_list(&upgrade.body(()).unwrap()), lines(&[(":status", "426")]));
    }
}
