//! Proxies, with the feature `proxy`.
//!
//! ```text
//! mod.rs           which proxy a URI takes, and the tunnel through it
//! uri.rs           the URI of a proxy
//! environment.rs   the variables that name proxies
//! no_proxy.rs      the hosts that take none
//! http.rs          CONNECT (RFC 9110 section 9.3.6)
//!   head.rs          the head of the response, and not a byte more
//! socks5.rs        SOCKS5 (RFC 1928, RFC 1929)
//! off.rs           the twin where the feature is off
//! ```

mod environment;
mod head;
mod http;
mod no_proxy;
mod socks5;
mod uri;

use websocket_proto::client::Uri;

use super::deadline::Deadline;
use super::tunnel::Tunnel;
use super::{ConnectError, ConnectStage, Connector, ProxyError, ProxyUriError, dial, tls};
use environment::Environment;
use uri::{Protocol, ProxyUri};

impl Connector {
    /// Sets the proxy that [`connect`](Self::connect) uses for all servers: `http://host:port`, `https://host:port` or
    /// `socks5://host:port`, with `user:password@` before the host if it wants them. There is none by default.
    ///
    /// An HTTP proxy is asked for a tunnel by CONNECT, for `ws` as for `wss` (RFC 6455 section 4.1), and is sent the
    /// credentials as `Proxy-Authorization: Basic`. A SOCKS5 proxy (RFC 1928) is sent them as RFC 1929 describes. `socks5h` is
    /// the same as `socks5`. In either case the proxy resolves the name of the server, and TLS is established with the
    /// server. Without a scheme it is an HTTP proxy. Without a port it is port 80, 443 for `https`, and 1080 for SOCKS5.
    ///
    /// An `https` proxy is an HTTP proxy that is itself reached by TLS, which needs the feature `rustls`. It has the
    /// configuration that servers have: the default, or that of `Connector::tls`, client certificate included.
    ///
    /// A malformed URI is the error of `connect` ([`ConnectError::ProxyUri`]), as is whatever the proxy answers
    /// ([`ConnectError::Proxy`]). The [`timeout`](Self::timeout) includes the proxy.
    ///
    /// ```
    /// use websocket_proto_tokio::Connector;
    ///
    /// let connector = Connector::new().proxy("http://user:secret@proxy.example:3128");
    /// let connector = Connector::new().proxy("socks5://localhost:9050");
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
    pub fn proxy(mut self, uri: impl AsRef<str>) -> Self {
        self.proxy = Settings(Choice::One(uri.as_ref().parse()));
        self
    }

    /// Sets the proxies that the environment names, as curl reads it. The variables are read now.
    ///
    /// | variable | |
    /// |---|---|
    /// | `https_proxy`, `HTTPS_PROXY` | the proxy for `wss` |
    /// | `http_proxy` | the proxy for `ws`; in lower case only, since a CGI program has a client's header in the other |
    /// | `all_proxy`, `ALL_PROXY` | the proxy where these are not set |
    /// | `no_proxy`, `NO_PROXY` | servers without a proxy: hosts, which include their subdomains, IP addresses, networks such as `10.0.0.0/8`, separated by commas; or `*` |
    ///
    /// The first that is not empty counts. The values are those that [`proxy`](Self::proxy) takes. One that is malformed is an
    /// error when a connection needs it.
    ///
    /// ```
    /// use websocket_proto_tokio::Connector;
    ///
    /// let connector = Connector::new().proxy_from_env();
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
    pub fn proxy_from_env(mut self) -> Self {
        // What is not UTF-8 becomes malformed, and is not as if it were not set.
        let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
        self.proxy = Settings(Choice::Environment(Box::new(Environment::read(variable))));
        self
    }
}

/// The caller's choice of proxies.
#[derive(Clone, Debug)]
pub(super) struct Settings(Choice);

#[derive(Clone, Debug)]
enum Choice {
    Direct,
    One(Result<ProxyUri, ProxyUriError>),
    Environment(Box<Environment>),
}

impl Settings {
    pub(super) fn new_direct() -> Self {
        Self(Choice::Direct)
    }

    /// Returns the proxy that leads to a server, unless that is reached without one.
    fn for_server(&self, server: &Uri) -> Result<Option<&ProxyUri>, ConnectError> {
        match &self.0 {
            Choice::Direct => Ok(None),
            Choice::One(Ok(proxy)) => Ok(Some(proxy)),
            Choice::One(Err(error)) => Err(ConnectError::ProxyUri { variable: None, error: error.clone() }),
            Choice::Environment(environment) => environment.for_server(server),
        }
    }
}

/// Opens a stream that leads to the host of a URI, through its proxy if it has one.
pub(super) async fn connect(
    settings: &Settings,
    tls: &tls::Settings,
    server: &Uri,
    deadline: Deadline,
) -> Result<Tunnel, ConnectError> {
    let Some(proxy) = settings.for_server(server)? else {
        return dial::connect_tcp(server.host(), server.port(), deadline).await.map(Tunnel::Tcp);
    };
    let in_proxy = |error| ConnectError::Proxy { proxy: proxy.to_string(), error };
    let tcp = match dial::connect_tcp(proxy.host(), proxy.port(), deadline).await {
        Ok(stream) => stream,
        Err(ConnectError::Timeout(_)) => return Err(ConnectError::Timeout(ConnectStage::Proxy)),
        Err(error) => return Err(in_proxy(ProxyError::Unreachable(Box::new(error)))),
    };
    let tunnel = async {
        let mut stream = match proxy.protocol() {
            Protocol::Https => {
                let tls_error = |error| ConnectError::Tls { host: proxy.host().to_owned(), error };
                let established = tls::connect_proxy(tls, proxy.host(), tcp).await;
                established.map_err(|error| ProxyError::Unreachable(Box::new(tls_error(error))))?
            }
            Protocol::Http | Protocol::Socks5 => Tunnel::Tcp(tcp),
        };
        match proxy.protocol() {
            Protocol::Http | Protocol::Https => http::tunnel(&mut stream, server, proxy.credentials()).await?,
            Protocol::Socks5 => socks5::tunnel(&mut stream, server, proxy.credentials()).await?,
        }
        Ok(stream)
    };
    deadline.within(ConnectStage::Proxy, tunnel).await?.map_err(in_proxy)
}
