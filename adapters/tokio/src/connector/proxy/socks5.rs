//! Tunnels through SOCKS5 proxies (RFC 1928), with user and password (RFC 1929). The proxy resolves the server's name.
//!
//! Each message has a length that is known before it is read. So nothing is read that follows the last one.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use websocket_proto::client::Uri;

use super::uri::Credentials;
use super::{ProxyError, Tunnel};

/// RFC 1928 section 3.
const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;

/// RFC 1929 section 2.
const AUTHENTICATION_VERSION: u8 = 1;

/// RFC 1928 section 4.
const COMMAND_CONNECT: u8 = 1;

/// RFC 1928 section 5.
const ADDRESS_IPV4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_IPV6: u8 = 4;

/// Asks the proxy for a tunnel to a server.
pub(super) async fn tunnel(
    stream: &mut Tunnel,
    server: &Uri,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let request = request(server)?;
    authenticate(stream, credentials).await?;
    stream.write_all(&request).await?;
    let [version, reply, _, address] = read(stream).await?;
    expect(version, VERSION)?;
    if reply != 0 {
        return Err(ProxyError::Reply(reply));
    }
    // The address from which the proxy connects to the server, and its port.
    let length = match address {
        ADDRESS_IPV4 => 4,
        ADDRESS_IPV6 => 16,
        ADDRESS_NAME => stream.read_u8().await?.into(),
        other => return Err(ProxyError::NotSocks5(other)),
    };
    let mut address = [0; u8::MAX as usize + 2];
    stream.read_exact(&mut address[..length + 2]).await?;
    Ok(())
}

/// Agrees on an authentication method, and authenticates.
async fn authenticate(stream: &mut Tunnel, credentials: Option<&Credentials>) -> Result<(), ProxyError> {
    let offer = match credentials {
        None => &[VERSION, 1, NO_AUTHENTICATION][..],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
    };
    stream.write_all(offer).await?;
    let [version, method] = read(stream).await?;
    expect(version, VERSION)?;
    match (method, credentials) {
        (NO_AUTHENTICATION, _) => Ok(()),
        (USER_AND_PASSWORD, Some(credentials)) => send_credentials(stream, credentials).await,
        (NO_ACCEPTABLE_METHOD, _) => Err(ProxyError::AuthenticationMethod),
        (other, _) => Err(ProxyError::NotSocks5(other)),
    }
}

/// RFC 1929 section 2.
async fn send_credentials(stream: &mut Tunnel, credentials: &Credentials) -> Result<(), ProxyError> {
    let mut request = vec![AUTHENTICATION_VERSION];
    for part in [&credentials.user, &credentials.password] {
        debug_assert!(part.len() <= u8::MAX.into(), "the proxy's URI was checked");
        request.push(part.len() as u8);
        request.extend_from_slice(part);
    }
    stream.write_all(&request).await?;
    let [version, status] = read(stream).await?;
    expect(version, AUTHENTICATION_VERSION)?;
    if status == 0 { Ok(()) } else { Err(ProxyError::Authentication(status)) }
}

/// RFC 1928 section 4.
fn request(server: &Uri) -> Result<Vec<u8>, ProxyError> {
    let mut request = vec![VERSION, COMMAND_CONNECT, 0];
    match server.host().parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(ADDRESS_IPV4);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(ADDRESS_IPV6);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let length = u8::try_from(server.host().len()).map_err(|_| ProxyError::HostTooLong)?;
            request.extend([ADDRESS_NAME, length]);
            request.extend_from_slice(server.host().as_bytes());
        }
    }
    request.extend_from_slice(&server.port().to_be_bytes());
    Ok(request)
}

async fn read<const N: usize>(stream: &mut Tunnel) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn expect(version: u8, expected: u8) -> Result<(), ProxyError> {
    if version == expected { Ok(()) } else { Err(ProxyError::NotSocks5(version)) }
}

#[cfg(test)]
mod tests {
    use super::{ProxyError, request};

    #[test]
    fn names_are_sent_as_names_and_addresses_as_addresses() {
        let of = |uri: &str| request(&uri.parse().unwrap());
        assert_eq!(of("ws://a.example/").unwrap(), b"\x05\x01\x00\x03\x09a.example\x00\x50");
        assert_eq!(of("wss://127.0.0.1").unwrap(), [5, 1, 0, 1, 127, 0, 0, 1, 1, 187]);
        let ipv6 = [&[5, 1, 0, 4][..], &[0; 15], &[1, 0x23, 0x28]].concat();
        assert_eq!(of("ws://[::1]:9000/").unwrap(), ipv6);
        let longest = "x".repeat(255);
        assert!(of(&format!("ws://{longest}/")).is_ok());
        assert!(matches!(of(&format!("ws://{longest}x/")), Err(ProxyError::HostTooLong)));
    }
}
