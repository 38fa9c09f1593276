//! A small SOCKS5 server (RFC 1928, RFC 1929).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

#[derive(Clone, Copy)]
pub(super) struct Behaviour {
    /// The user and password that are wanted.
    pub(super) credentials: Option<(&'static str, &'static str)>,
    /// The reply to a request.
    pub(super) code: u8,
    /// The type and the bytes of the bound address.
    pub(super) bound: &'static [u8],
    /// Bytes after the reply, as if sent by the server.
    pub(super) more: &'static [u8],
}

pub(super) const OPEN: Behaviour = Behaviour { credentials: None, code: 0, bound: &[1, 127, 0, 0, 1], more: &[] };

pub(super) struct SocksServer {
    pub(super) address: SocketAddr,
    /// The address types and hosts of the requests.
    pub(super) requests: mpsc::UnboundedReceiver<(u8, Vec<u8>)>,
}

/// Starts a server that connects to the port of loopback which the request names, whatever its host is.
pub(super) async fn start(behaviour: Behaviour) -> SocksServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (hosts, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let hosts = hosts.clone();
            // An error is a client that has gone.
            tokio::spawn(async move { serve(client, behaviour, hosts).await });
        }
    });
    SocksServer { address, requests }
}

async fn serve(
    mut client: TcpStream,
    behaviour: Behaviour,
    hosts: mpsc::UnboundedSender<(u8, Vec<u8>)>,
) -> std::io::Result<()> {
    assert_eq!(client.read_u8().await?, 5);
    let methods = read_counted(&mut client).await?;
    let method = if behaviour.credentials.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return client.write_all(&[5, 0xff]).await;
    }
    client.write_all(&[5, method]).await?;
    if let Some((user, password)) = behaviour.credentials {
        assert_eq!(client.read_u8().await?, 1);
        let given = (read_counted(&mut client).await?, read_counted(&mut client).await?);
        let is_right = given == (user.into(), password.into());
        client.write_all(&[1, u8::from(!is_right)]).await?;
        if !is_right {
            return Ok(());
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    assert_eq!(head[..3], [5, 1, 0]);
    let host = match head[3] {
        1 => read(&mut client, 4).await?,
        4 => read(&mut client, 16).await?,
        _ => read_counted(&mut client).await?,
    };
    let port = client.read_u16().await?;
    // Not every test listens.
    let _ = hosts.send((head[3], host));
    let reply = [&[5, behaviour.code, 0], behaviour.bound, &[0, 0], behaviour.more].concat();
    client.write_all(&reply).await?;
    if behaviour.code == 0 {
        let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
        copy_bidirectional(&mut client, &mut server).await?;
    }
    Ok(())
}

async fn read_counted(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let count = client.read_u8().await?;
    read(client, count.into()).await
}

async fn read(client: &mut TcpStream, count: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
