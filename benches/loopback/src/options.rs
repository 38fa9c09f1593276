//! What the command line says.

use crate::servers::{self, Server};
use crate::transport::Transport;

pub(crate) const USAGE: &str = "\
Arguments: names of servers (all without one), and
  --case PART       the cases whose names contain that, such as 'tcp 64B 64x16' or 16KiB (all without one); repeatable
  --rounds N        measure each case N times (31)
  --turns N         in a round, every connection sends its messages so many times (as fits the case)
  --latency N       measure the latency of each case in N rounds (15)
  --seconds N       seconds of such a round (0.4)
  --rate N          messages a second while the latency is measured (as fits the case)
  --markdown FILE   write the tables
  --picture FILE    draw the latency
  --date DATE       the date in those files
  --serve NAME      be that server
  --transport NAME  of that server: tcp or unix
  --connections N   of that server
  --cpu N           of that server";

pub(crate) struct Options {
    names: Vec<String>,
    pub(crate) cases: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) turns: Option<u64>,
    pub(crate) latency_rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) rate: Option<u64>,
    pub(crate) markdown: Option<String>,
    pub(crate) picture: Option<String>,
    pub(crate) date: String,
    pub(crate) serve: Option<String>,
    pub(crate) transport: Transport,
    pub(crate) connections: usize,
    pub(crate) cpu: Option<usize>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--case" => options.cases.push(value()?),
                "--rounds" => options.rounds = number(&value()?)?,
                "--turns" => options.turns = Some(number(&value()?)?),
                "--latency" => options.latency_rounds = number(&value()?)?,
                "--seconds" => options.seconds = number(&value()?)?,
                "--rate" => options.rate = Some(number(&value()?)?),
                "--markdown" => options.markdown = Some(value()?),
                "--picture" => options.picture = Some(value()?),
                "--date" => options.date = value()?,
                "--serve" => options.serve = Some(value()?),
                "--transport" => options.transport = transport(&value()?)?,
                "--connections" => options.connections = number(&value()?)?,
                "--cpu" => options.cpu = Some(number(&value()?)?),
                option if option.starts_with("--") => return Err(format!("{option} isn't known")),
                _ if servers::find(&argument).is_none() => return Err(format!("no server is called {argument}")),
                _ => options.names.push(argument),
            }
        }
        Ok(options)
    }

    /// The servers that were asked for, and those that the others are compared with.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &'static Server> {
        let all = self.names.is_empty();
        servers::ALL.iter().filter(move |server| {
            all || servers::FLOORS.contains(&server.name) || self.names.iter().any(|name| name == server.name)
        })
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            cases: Vec::new(),
            rounds: 31,
            turns: None,
            latency_rounds: 15,
            seconds: 0.4,
            rate: None,
            markdown: None,
            picture: None,
            date: "no date".into(),
            serve: None,
            transport: Transport::Tcp,
            connections: 1,
            cpu: None,
        }
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} isn't a number"))
}

fn transport(name: &str) -> Result<Transport, String> {
    let found = Transport::ALL.into_iter().find(|transport| transport.to_string() == name);
    found.ok_or(format!("no transport is called {name}"))
}
