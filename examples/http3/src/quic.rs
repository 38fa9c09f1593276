//! The configuration of QUIC and HTTP/3 on both sides: how much a peer may send, and how long it may be silent.

use std::path::Path;
use std::time::Duration;

use boring::ssl::{SslContextBuilder, SslMethod};
use quiche::{Config, ConnectionId, h3};

use crate::Error;
use crate::certificate::SelfSigned;

/// The largest datagram: what every path of IPv6 carries, with some space for tunnels. QUIC requires 1200.
pub(crate) const MAX_DATAGRAM: usize = 1350;

/// The length of our connection IDs. They are random, and nobody guesses 16 bytes.
pub(crate) const CONNECTION_ID: usize = 16;

/// How many requests, and so WebSockets, a client may have at a time on one connection.
const MAX_STREAMS: u64 = 100;

/// The control stream and two of QPACK (RFC 9114 section 6.2), and some that may be ignored.
const MAX_UNIDIRECTIONAL_STREAMS: u64 = 8;

/// The bytes that may be on their way to us on one stream. They are given back as the connection receives them.
const STREAM_WINDOW: u64 = 256 << 10;

/// The same for all streams of a connection.
const CONNECTION_WINDOW: u64 = 1 << 20;

/// The connection is dropped after so much silence of QUIC. Keepalive pings of WebSockets come earlier.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// The configuration of a server with this certificate.
///
/// # Errors
///
/// Fails if BoringSSL does.
pub fn server_config(certificate: &SelfSigned) -> Result<Config, Error> {
    let mut tls = SslContextBuilder::new(SslMethod::tls())?;
    tls.set_certificate(&certificate.certificate)?;
    tls.set_private_key(&certificate.key)?;
    with_limits(Config::with_boring_ssl_ctx_builder(quiche::PROTOCOL_VERSION, tls)?)
}

/// The configuration of a client that trusts the certificates in a PEM file and no others, or those of the system.
///
/// # Errors
///
/// Fails if the file is not one of certificates.
pub fn client_config(trust: Option<&Path>) -> Result<Config, Error> {
    let mut tls = SslContextBuilder::new(SslMethod::tls())?;
    match trust {
        Some(file) => tls.set_ca_file(file)?,
        None => tls.set_default_verify_paths()?,
    }
    let mut config = Config::with_boring_ssl_ctx_builder(quiche::PROTOCOL_VERSION, tls)?;
    config.verify_peer(true);
    with_limits(config)
}

fn with_limits(mut config: Config) -> Result<Config, Error> {
    config.set_application_protos(h3::APPLICATION_PROTOCOL)?;
    config.set_max_idle_timeout(MAX_IDLE.as_millis() as u64);
    config.set_max_recv_udp_payload_size(MAX_DATAGRAM);
    config.set_max_send_udp_payload_size(MAX_DATAGRAM);
    config.set_initial_max_streams_bidi(MAX_STREAMS);
    config.set_initial_max_streams_uni(MAX_UNIDIRECTIONAL_STREAMS);
    config.set_initial_max_stream_data_bidi_local(STREAM_WINDOW);
    config.set_initial_max_stream_data_bidi_remote(STREAM_WINDOW);
    config.set_initial_max_stream_data_uni(STREAM_WINDOW);
    config.set_initial_max_data(CONNECTION_WINDOW);
    // quiche makes windows larger for fast peers, up to here.
    config.set_max_stream_window(STREAM_WINDOW);
    config.set_max_connection_window(CONNECTION_WINDOW);
    // Datagrams are sent at once, not at the times that quiche computes.
    config.enable_pacing(false);
    // A connection has but one ID, by which the server finds it.
    config.set_disable_active_migration(true);
    Ok(config)
}

/// The configuration of HTTP/3. Either side may announce SETTINGS_ENABLE_CONNECT_PROTOCOL; what counts is the server's
/// (RFC 9220 section 3, RFC 8441 section 3).
pub(crate) fn http_config(is_server: bool) -> Result<h3::Config, h3::Error> {
    let mut config = h3::Config::new()?;
    config.enable_extended_connect(is_server);
    Ok(config)
}

/// Makes a new random connection ID.
///
/// # Errors
///
/// Fails if the system has no random numbers.
pub fn connection_id() -> Result<ConnectionId<'static>, Error> {
    let mut id = vec![0; CONNECTION_ID];
    boring::rand::rand_bytes(&mut id)?;
    Ok(ConnectionId::from_vec(id))
}
