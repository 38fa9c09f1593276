//! What the command line says.

pub(crate) const USAGE: &str = "\
Arguments: names of servers (all without one), and
  --rounds N        measure N times (101)
  --turns N         in a round, every connection sends its messages so many times (40)
  --markdown FILE   write the table
  --date DATE       the date in that file
  --serve NAME      be that server";

pub(crate) struct Options {
    names: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) turns: u64,
    pub(crate) markdown: Option<String>,
    pub(crate) date: String,
    pub(crate) serve: Option<String>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { names: Vec::new(), rounds: 101, turns: 40, markdown: None, date: "no date".into(), serve: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => options.rounds = number(&value()?)?,
                "--turns" => options.turns = number(&value()?)?,
                "--markdown" => options.markdown = Some(value()?),
                "--date" => options.date = value()?,
                "--serve" => options.serve = Some(value()?),
                option if option.starts_with("--") => return Err(format!("{option} isn't known")),
                _ => options.names.push(argument),
            }
        }
        Ok(options)
    }

    /// Whether a server was asked for.
    pub(crate) fn wants(&self, server: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == server)
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} isn't a number"))
}
