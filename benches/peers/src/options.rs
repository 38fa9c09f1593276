//! The command line.

pub(crate) const USAGE: &str = "\
Usage: websocket-proto-peers [OPTION...] [CASE...]

CASE is the name of a case or a part of it; without one, all cases are run.
  --check                     run every case once, check every byte, and measure nothing
  --list                      print the names of the cases
  --rounds N                  measure N rounds (default: 7)
  --markdown FILE             write the table to FILE
  --svg FILE                  draw a picture of some of the cases to FILE, if they were run
  --date DATE                 the date in the table and in the picture
For `instructions`, with the name of a case in full:
  --entries                   print the entries that take part, and the messages in a pass
  --pass ENTRY N              do N passes, and nothing else";

pub(crate) enum Command {
    Measure,
    Check,
    List,
    Pass { entry: Option<String>, passes: u32 },
}

pub(crate) struct Options {
    pub(crate) command: Command,
    names: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) markdown: Option<String>,
    pub(crate) svg: Option<String>,
    pub(crate) date: String,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            command: Command::Measure,
            names: Vec::new(),
            rounds: 7,
            markdown: None,
            svg: None,
            date: "no date".into(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--check" => options.command = Command::Check,
                "--list" => options.command = Command::List,
                "--entries" => options.command = Command::Pass { entry: None, passes: 0 },
                "--pass" => {
                    let (entry, passes) = (Some(value()?), number(&value()?)?);
                    options.command = Command::Pass { entry, passes };
                }
                "--rounds" => options.rounds = number(&value()?)?,
                "--markdown" => options.markdown = Some(value()?),
                "--svg" => options.svg = Some(value()?),
                "--date" => options.date = value()?,
                option if option.starts_with("--") => return Err(format!("{option} is not an option")),
                _ => options.names.push(argument),
            }
        }
        Ok(options)
    }

    /// Returns whether a case was selected.
    pub(crate) fn wants(&self, case: &str) -> bool {
        match self.command {
            // One name may be part of another.
            Command::Pass { .. } => self.names.iter().any(|name| case == name),
            _ => self.names.is_empty() || self.names.iter().any(|name| case.contains(name)),
        }
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} isn't a number"))
}
