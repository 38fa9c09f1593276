fn main() -> Result<(), Box<dyn Error>> {
    for stream in TcpListener::bind("127.0.0.1:9001")?.incoming() {
        let (stream, conn) = (stream?, Connection::server(Config::new()));
        thread::spawn(move || serve(stream, conn).unwrap_or_else(|error| eprintln!("{error}")));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, mut conn: Connection) -> Result<(), Box<dyn Error>> {
    let (start, mut buf) = (Instant::now(), [0; 16 * 1024]);
    stream.set_write_timeout(Some(Duration::from_secs(20)))?; // for a peer that doesn't read
    while conn.wants_shutdown().is_none() {
        let wait = conn.next_timeout().map(|at| at.saturating_sub(start.elapsed()));
        stream.set_read_timeout(wait.map(|wait| wait.max(Duration::from_millis(1))))?;
        let n = match stream.read(&mut buf) {
            Ok(n @ 1..) => n,
            Err(e) if matches!(e.kind(), WouldBlock | TimedOut | Interrupted) => 0,
            Ok(0) | Err(_) => { conn.receive_eof(); 0 } // a reset ends the stream, too
        };
        conn.advance_time(start.elapsed());
        let mut input = &mut buf[..n];
        while let Some(event) = conn.receive(&mut input) {
            match event {
                Event::Request(_) => conn.accept(server::Response::new())?,
                Event::Text(text) => conn.send_text(&text)?,
                Event::Closed(closed) => println!("{closed}"),
                _ => {} // pings are answered automatically
            }
        }
        while conn.output().has_remaining() {
            let n = stream.write(conn.output().chunk())?;
            conn.output().advance(n);
        }
    }
    if conn.wants_shutdown() == Some(TransportShutdown::Graceful) {
        stream.shutdown(Shutdown::Write)?;
        // Drain the socket: closing it with unread bytes resets it, and our last bytes may be lost.
        let end = Instant::now() + Duration::from_secs(2);
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        while Instant::now() < end && matches!(stream.read(&mut buf), Ok(1..)) {}
    }
    Ok(())
}
