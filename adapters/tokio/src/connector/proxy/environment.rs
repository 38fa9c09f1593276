//! The variables that name proxies, as curl reads them.

use websocket_proto::client::Uri;

use super::no_proxy::NoProxy;
use super::{ConnectError, ProxyUri, ProxyUriError};

/// The first of these that is not empty is the proxy for `wss`,
const FOR_WSS: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];

/// and this one is that for `ws`. A CGI program has what a client sends as the header `Proxy` in `HTTP_PROXY`, which is why
/// that is not read.
const FOR_WS: [&str; 1] = ["http_proxy"];

/// The proxy for either, where the variables above are not set.
const FOR_ALL: [&str; 2] = ["all_proxy", "ALL_PROXY"];

/// The servers that are reached without a proxy.
const FOR_NONE: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The proxies of an environment.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    wss: Option<Variable>,
    ws: Option<Variable>,
    no_proxy: NoProxy,
}

/// A variable that is set. What is malformed is an error when it is used.
#[derive(Clone, Debug)]
struct Variable {
    name: &'static str,
    proxy: Result<ProxyUri, ProxyUriError>,
}

impl Environment {
    /// Reads the variables. One that is empty is not set.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &&'static str| variable(name).filter(|value| !value.is_empty()).map(|value| (*name, value));
        let proxy = |names: &[&'static str]| {
            let (name, uri) = names.iter().chain(&FOR_ALL).find_map(value)?;
            Some(Variable { name, proxy: uri.trim().parse() })
        };
        let (_, no_proxy) = FOR_NONE.iter().find_map(value).unwrap_or_default();
        Self { wss: proxy(&FOR_WSS), ws: proxy(&FOR_WS), no_proxy: NoProxy::parse(&no_proxy) }
    }

    /// Returns the proxy that leads to a server, unless that is reached without one.
    pub(super) fn for_server(&self, server: &Uri) -> Result<Option<&ProxyUri>, ConnectError> {
        let variable = if server.is_secure() { &self.wss } else { &self.ws };
        match variable {
            Some(variable) if !self.no_proxy.contains(server.host()) => match &variable.proxy {
                Ok(proxy) => Ok(Some(proxy)),
                Err(error) => Err(ConnectError::ProxyUri { variable: Some(variable.name), error: error.clone() }),
            },
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectError, Environment, ProxyUriError};

    /// The proxies for `ws` and `wss`.
    fn proxies(variables: &[(&str, &str)], host: &str) -> [Option<String>; 2] {
        let environment = Environment::read(|name| {
            let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
            Some((*value).to_owned())
        });
        ["ws", "wss"].map(|scheme| {
            let server = format!("{scheme}://{host}/").parse().unwrap();
            environment.for_server(&server).unwrap().map(ToString::to_string)
        })
    }

    #[test]
    fn each_scheme_has_its_variables() {
        let (ws, wss, all) = ("http://ws:1", "http://wss:1", "socks5://all:1");
        let cases: [(&[_], [Option<&str>; 2]); _] = [
            (&[], [None, None]),
            (&[("http_proxy", ws)], [Some(ws), None]),
            (&[("HTTP_PROXY", ws)], [None, None]),
            (&[("https_proxy", wss)], [None, Some(wss)]),
            (&[("HTTPS_PROXY", wss)], [None, Some(wss)]),
            (&[("HTTPS_PROXY", ws), ("https_proxy", wss)], [None, Some(wss)]),
            (&[("HTTPS_PROXY", wss), ("https_proxy", "")], [None, Some(wss)]),
            (&[("ALL_PROXY", all)], [Some(all), Some(all)]),
            (&[("all_proxy", all), ("ALL_PROXY", ws)], [Some(all), Some(all)]),
            (&[("all_proxy", all), ("http_proxy", ws)], [Some(ws), Some(all)]),
            (&[("all_proxy", all), ("http_proxy", "")], [Some(all), Some(all)]),
            (&[("all_proxy", all), ("no_proxy", "*")], [None, None]),
            (&[("all_proxy", all), ("NO_PROXY", "example.com")], [None, None]),
            (&[("all_proxy", all), ("NO_PROXY", "example.com"), ("no_proxy", "other")], [Some(all), Some(all)]),
        ];
        for (variables, expected) in cases {
            assert_eq!(proxies(variables, "example.com").each_ref().map(Option::as_deref), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_malformed_value_is_an_error_of_the_servers_that_need_it() {
        let environment = Environment::read(|name| (name == "HTTPS_PROXY").then(|| "ftp://proxy".to_owned()));
        assert!(environment.for_server(&"ws://a/".parse().unwrap()).unwrap().is_none());
        let error = environment.for_server(&"wss://a/".parse().unwrap()).unwrap_err();
        assert!(matches!(
            error,
            ConnectError::ProxyUri { variable: Some("HTTPS_PROXY"), error: ProxyUriError::Scheme }
        ));
    }
}
