//! The bus: one Redis stream, to which every node appends the messages of its members. Every node reads the whole stream.
//!
//! A stream keeps its last entries, so a node that was cut off for a moment resumes after the last entry that it has
//! seen, and misses nothing. With `PUBLISH`, the messages of that moment would be lost, and nobody would know.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamMaxlen, StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, Client, IntoConnectionInfo, ProtocolVersion, RedisResult};
use tokio::time::timeout;

/// The stream, with the messages of all rooms. If that is more than a node can read, use several and choose by a hash of
/// the room.
const STREAM: &str = "cluster:said";

/// The least number of entries that Redis keeps. A node that lags by more has missed something.
const KEPT: usize = 10_000;

/// The number of entries that are read at once.
const BATCH: usize = 256;

/// The time for which Redis holds a request while there are no entries. An answer within this time shows that Redis is
/// alive.
const WAIT: Duration = Duration::from_secs(1);

/// The time that an answer of Redis may take, and that bytes may stay unacknowledged by its machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest pause between two attempts to connect. The first is 100 ms; each is random, and bounded by twice the last.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One thing that was said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) room: String,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The sending side of the bus. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bus {
    connection: ConnectionManager,
}

impl Bus {
    /// Connects in the background: a node starts without its bus, too.
    pub(crate) fn connect(address: &str) -> RedisResult<(Self, Reader)> {
        let client = client(address)?;
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config(PATIENCE))?;
        // A request that waits for entries would hold up the others on its connection.
        let reading = ConnectionManager::new_lazy_with_config(client, config(WAIT + PATIENCE))?;
        Ok((Self { connection }, Reader { connection: reading, last: None }))
    }

    /// Sends a message to all members of the room, on all nodes.
    ///
    /// After an error, it isn't known whether the message was sent: the connection may have broken before or after Redis
    /// had it. The message isn't repeated, since everybody might receive it twice.
    pub(crate) async fn say(&self, room: &str, name: &str, text: &str) -> RedisResult<()> {
        let fields = [("room", room), ("name", name), ("text", text)];
        let mut connection = self.connection();
        let added = connection.xadd_maxlen(STREAM, StreamMaxlen::Approx(KEPT), "*", &fields);
        let _id: String = within(PATIENCE, added).await?;
        Ok(())
    }

    /// For commands of another kind.
    pub(crate) fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

/// Reads what is said.
pub(crate) struct Reader {
    connection: ConnectionManager,
    /// The last entry that was read. Without one, reading begins with an entry of our own.
    last: Option<String>,
}

/// The result of a request for entries.
#[derive(Debug)]
pub(crate) enum Batch {
    /// The messages since the last batch, in the order that all nodes see.
    Said(Vec<Said>),
    /// Entries are gone that this node hasn't read: it was away or slow for too long, or Redis has lost them. The next
    /// batch begins with the messages that are sent from now on.
    Gap,
}

impl Reader {
    /// Waits for the next messages, for at most a second.
    ///
    /// # Errors
    ///
    /// Redis is unreachable. The connection manager connects again, and the next call continues where this one
    /// stopped.
    pub(crate) async fn next(&mut self) -> RedisResult<Batch> {
        let Some(last) = &self.last else {
            self.last = Some(self.connection.xadd(STREAM, "*", &[("begins", "here")]).await?);
            return Ok(Batch::Said(Vec::new()));
        };
        // Redis deletes the oldest entries first. So if the last one that was read is still there after the next ones were
        // read, none between them was deleted.
        let options = StreamReadOptions::default().block(WAIT.as_millis() as usize).count(BATCH);
        let (read, before): (Option<StreamReadReply>, StreamRangeReply) = redis::pipe()
            .xread_options(&[STREAM], &[last], &options)
            .xrange_count(STREAM, last, last, 1)
            .query_async(&mut self.connection)
            .await?;
        if before.ids.is_empty() {
            self.last = None;
            return Ok(Batch::Gap);
        }
        let entries = read.into_iter().flat_map(|read| read.keys).flat_map(|key| key.ids);
        let mut said = Vec::new();
        for entry in entries {
            if let (Some(room), Some(name), Some(text)) = (entry.get("room"), entry.get("name"), entry.get("text")) {
                said.push(Said { room, name, text });
            }
            self.last = Some(entry.id);
        }
        Ok(Batch::Said(said))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// Waits for Redis, including the time that it takes to connect.
pub(crate) async fn within<T>(limit: Duration, answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

fn client(address: &str) -> RedisResult<Client> {
    let info = address.into_connection_info()?;
    // With RESP3 the manager notices a loss at once and connects again, and no command has to fail for it.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info.set_redis_settings(settings);
    // A machine that is cut off sends no reset.
    #[cfg(target_os = "linux")]
    let info = {
        let tcp = info.tcp_settings().clone().set_user_timeout(PATIENCE);
        info.set_tcp_settings(tcp)
    };
    Client::open(info)
}

fn config(response_timeout: Duration) -> ConnectionManagerConfig {
    ConnectionManagerConfig::new().set_response_timeout(Some(response_timeout)).set_max_delay(LONGEST_PAUSE)
}
