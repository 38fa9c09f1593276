//! Presence: who is in which room, on all nodes.
//!
//! Each node writes the list of its members into one key that expires, and renews the key every second. If the node dies,
//! nobody renews its key, and its members are gone once the key expires. No other node has to notice and clean up. Each
//! node reads the keys of all nodes and reports to its members who has come and gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{AsyncCommands, RedisResult};

use crate::rooms::Rooms;

/// How often a node writes its members and reads those of the others.
pub(crate) const REFRESH: Duration = Duration::from_secs(1);

/// The lifetime of a node's key, if it isn't renewed: three attempts may fail.
const LIFETIME: Duration = Duration::from_secs(4);

/// The names of the nodes. A node without a key of its own is removed by the first node that notices, and adds itself
/// again with its next refresh.
const NODES: &str = "cluster:nodes";

/// The most names that are shown.
const SHOWN: usize = 20;

type Names = BTreeSet<String>;

/// The members of each room, as of the last refresh.
#[derive(Debug)]
pub(crate) struct Presence {
    node: String,
    here: Mutex<BTreeMap<String, Names>>,
}

impl Presence {
    pub(crate) fn new(node: &str) -> Self {
        Self { node: node.to_owned(), here: Mutex::default() }
    }

    /// Writes who is here, reads who is elsewhere, and reports in each room who has come and gone.
    pub(crate) async fn refresh(&self, redis: &mut ConnectionManager, rooms: &Rooms) -> RedisResult<()> {
        let own: String = rooms.everybody().iter().map(|(room, name)| format!("{room} {name}\n")).collect();
        let (nodes,): (Vec<String>,) = redis::pipe()
            .cmd("SET")
            .arg(key(&self.node))
            .arg(own)
            .arg("PX")
            .arg(LIFETIME.as_millis() as u64)
            .ignore()
            .sadd(NODES, &self.node)
            .ignore()
            .smembers(NODES)
            .query_async(redis)
            .await?;
        let lists: Vec<Option<String>> = redis.mget(nodes.iter().map(|node| key(node)).collect::<Vec<_>>()).await?;
        let dead: Vec<_> = nodes.iter().zip(&lists).filter(|(_, list)| list.is_none()).map(|(node, _)| node).collect();
        if !dead.is_empty() {
            let _: () = redis.srem(NODES, dead).await?;
        }
        let mut here = BTreeMap::<String, Names>::new();
        for (room, name) in lists.iter().flatten().flat_map(|list| list.lines()).filter_map(|line| line.split_once(' '))
        {
            here.entry(room.to_owned()).or_default().insert(name.to_owned());
        }
        let before = self.replace(here.clone());
        let nobody = Names::new();
        for room in before.keys().chain(here.keys()).collect::<BTreeSet<_>>() {
            let (before, now) = (before.get(room).unwrap_or(&nobody), here.get(room).unwrap_or(&nobody));
            if let Some(news) = news(before, now) {
                rooms.say(room, news);
            }
        }
        Ok(())
    }

    /// Removes this node, which all others see with their next refresh.
    pub(crate) async fn leave(&self, redis: &mut ConnectionManager) -> RedisResult<()> {
        redis::pipe().del(key(&self.node)).srem(NODES, &self.node).exec_async(redis).await
    }

    /// Returns a line with the members of a room at the last refresh.
    pub(crate) fn describe(&self, room: &str) -> String {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        here.get(room).map_or_else(|| "nobody".into(), |names| list(names.iter()))
    }

    fn replace(&self, here: BTreeMap<String, Names>) -> BTreeMap<String, Names> {
        std::mem::replace(&mut *self.here.lock().unwrap_or_else(PoisonError::into_inner), here)
    }
}

fn key(node: &str) -> String {
    format!("cluster:here:{node}")
}

/// Returns a line with who has come and who has gone, if anybody has.
fn news(before: &Names, now: &Names) -> Option<String> {
    let (come, gone): (Vec<_>, Vec<_>) = (now.difference(before).collect(), before.difference(now).collect());
    let came = (!come.is_empty()).then(|| format!("{} joined, ", list(come.into_iter())));
    let left = (!gone.is_empty()).then(|| format!("{} left, ", list(gone.into_iter())));
    let changes: String = came.into_iter().chain(left).collect();
    (!changes.is_empty()).then(|| format!("* {changes}{} here", now.len()))
}

fn list<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let mut shown = names.take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 {
        shown += &format!(" and {more} more");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Names, SHOWN, list, news};

    fn names(names: &[&str]) -> Names {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn news_are_what_has_changed() {
        for (before, now, said) in [
            (&["a"][..], &["a"][..], None),
            (&[], &["a", "b"], Some("* a, b joined, 2 here")),
            (&["a", "b"], &["b"], Some("* a left, 1 here")),
            (&["a"], &["b"], Some("* b joined, a left, 1 here")),
        ] {
            assert_eq!(news(&names(before), &names(now)).as_deref(), said);
        }
    }

    #[test]
    fn a_crowd_is_counted() {
        let crowd: Names = (0..SHOWN + 2).map(|number| format!("{number:02}")).collect();
        assert!(list(crowd.iter()).ends_with(", 19 and 2 more"));
    }
}
