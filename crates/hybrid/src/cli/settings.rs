//! The settings file of `serve`. Every flag is a key of the same name: the file becomes flags that
//! the command line goes before, so that both are read, checked and explained by one parser.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::args::{Cli, Command as Ours};
use super::failure::Failure;
use super::print_line;

/// Flags that mean nothing in a file.
const NO_KEYS: [&str; 5] = ["config", "print-config", "help", "version", "json"];

/// Reads the command line and the file it names. Usage errors end the program as always.
pub(crate) fn read() -> Result<Cli, Failure> {
    let mut matches = Cli::command().get_matches();
    let mut cli = parsed(&matches)?;
    let Ours::Serve(serve) = &cli.command else { return Ok(cli) };
    let prints = serve.print_config;
    if let Some(file) = &serve.config {
        let text = fs::read_to_string(file).map_err(|e| Failure::file(file, &e))?;
        let more = flags(&text, said(&matches)).map_err(|at| at.in_file(file, &text))?;
        let all = env::args_os().chain(more);
        matches = Cli::command().try_get_matches_from(all).map_err(|e| unusable(&e))?;
        cli = parsed(&matches)?;
    }
    if prints {
        print_line(print(said(&matches)).trim_end());
        std::process::exit(0);
    }
    Ok(cli)
}

fn parsed(matches: &ArgMatches) -> Result<Cli, Failure> {
    Cli::from_arg_matches(matches).map_err(|e| unusable(&e))
}

fn unusable(error: &clap::Error) -> Failure {
    Failure::input("bad-settings", short(error))
}

/// What is wrong, without the usage that follows.
fn short(error: &clap::Error) -> String {
    let text = error.to_string();
    let said = text.split("\n\nFor more").next().unwrap_or_default();
    said.trim_start_matches("error: ").trim_end().to_owned()
}

/// What was said after `serve`.
fn said(matches: &ArgMatches) -> Option<&ArgMatches> {
    matches.subcommand_matches("serve")
}

/// Something in a file that cannot be used.
#[derive(Debug)]
struct Wrong {
    at: usize,
    why: String,
}

impl Wrong {
    fn in_file(self, file: &Path, text: &str) -> Failure {
        let before = text.get(..self.at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let message = format!("{}, line {line}, column {column}: {}", file.display(), self.why);
        Failure::input("bad-settings", message)
    }
}

/// The file as flags, those left out that the command line says itself.
fn flags(text: &str, said: Option<&ArgMatches>) -> Result<Vec<OsString>, Wrong> {
    let table = DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        Wrong { at, why: e.message().to_owned() }
    })?;
    let serve = serve();
    let mut flags = Vec::new();
    // In the order of the file, so that its first mistake is named first.
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let Some(arg) = keys(&serve).find(|arg| arg.get_long() == Some(name)) else {
            let allowed: Vec<_> = keys(&serve).filter_map(Arg::get_long).collect();
            let why = format!("no setting is called {name:?}; there are {}", allowed.join(", "));
            return Err(Wrong { at: key.span().start, why });
        };
        let these = flag(name, arg, value)?;
        let source = said.and_then(|said| said.value_source(arg.get_id().as_str()));
        if source != Some(ValueSource::CommandLine) {
            flags.extend(these);
        }
    }
    Ok(flags)
}

/// One setting as flags that the parser takes.
fn flag(name: &str, arg: &Arg, value: &Spanned<DeValue<'_>>) -> Result<Vec<OsString>, Wrong> {
    let wrong = |why: String| Wrong { at: value.span().start, why: format!("{name}: {why}") };
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let flags = if let (true, DeValue::Boolean(yes)) = (is_flag, value.get_ref()) {
        return Ok(yes.then(|| format!("--{name}").into()).into_iter().collect());
    } else if let (ArgAction::Append, DeValue::Array(items)) = (arg.get_action(), value.get_ref()) {
        let items = items.iter().map(|item| single(item.get_ref()));
        items.collect::<Result<Vec<_>, _>>().map_err(wrong)?
    } else {
        vec![single(value.get_ref()).map_err(wrong)?]
    };
    if is_flag {
        return Err(wrong("true or false expected".to_owned()));
    }
    let flags: Vec<OsString> =
        flags.into_iter().map(|value| format!("--{name}={value}").into()).collect();
    for flag in &flags {
        let alone = [OsString::from("headwater"), "serve".into(), flag.clone()];
        Cli::command().try_get_matches_from(alone).map_err(|e| wrong(short(&e)))?;
    }
    Ok(flags)
}

fn single(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "a smaller number expected".to_owned()),
        DeValue::Boolean(_) => Err("a text or number expected, not true or false".to_owned()),
        DeValue::Float(_) | DeValue::Datetime(_) => Err("a text or number expected".to_owned()),
        DeValue::Array(_) => Err("one value expected, not a list".to_owned()),
        DeValue::Table(_) => Err("a value expected, not a table".to_owned()),
    }
}

/// The command whose flags the settings are.
fn serve() -> Command {
    let mut all = Cli::command();
    all.build();
    all.find_subcommand("serve").cloned().unwrap_or_default()
}

fn keys(serve: &Command) -> impl Iterator<Item = &Arg> {
    serve.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| !NO_KEYS.contains(&long)))
}

/// Every setting as it is in force, with what it means.
fn print(said: Option<&ArgMatches>) -> String {
    let serve = serve();
    let mut out = String::new();
    for arg in keys(&serve) {
        let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        for line in arg.get_help().map(ToString::to_string).unwrap_or_default().lines() {
            out.push_str(&format!("# {line}\n"));
        }
        let values = said.and_then(|said| said.get_raw(id));
        let values: Vec<_> = values
            .into_iter()
            .flatten()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        let line = match (arg.get_action(), values.first()) {
            (ArgAction::SetTrue, _) => {
                let on = said.is_some_and(|said| said.get_flag(id));
                format!("{long} = {on}\n\n")
            }
            (_, Some(_)) if arg.is_hide_env_values_set() => {
                format!("# {long} is set, and not shown: it may hold a password\n\n")
            }
            (ArgAction::Append, None) => format!("{long} = []\n\n"),
            (ArgAction::Append, Some(_)) => format!("{long} = {}\n\n", list(&values)),
            (_, Some(value)) => format!("{long} = {}\n\n", shown(value)),
            (_, None) => format!("# {long} =\n\n"),
        };
        out.push_str(&line);
    }
    out
}

fn list(values: &[String]) -> String {
    let values: Vec<_> = values.iter().flat_map(|value| value.split(',')).map(shown).collect();
    format!("[{}]", values.join(", "))
}

fn shown(value: &str) -> String {
    match value.parse::<i64>() {
        Ok(number) => number.to_string(),
        Err(_) => toml::Value::from(value).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, flags_or_why: Result<&[&str], &str>) {
        match (flags(text, None).map_err(|e| e.in_file(Path::new("f"), text)), flags_or_why) {
            (Ok(flags), Ok(expect)) => assert_eq!(flags, expect, "{text}"),
            (Err(failure), Err(why)) => {
                assert!(failure.message.starts_with(why), "{text}: {}", failure.message);
            }
            (found, expect) => panic!("{text}: {found:?}, not {expect:?}"),
        }
    }

    #[test]
    fn a_file_says_what_flags_say() {
        check("", Ok(&[]));
        check("dir = 'films'\nmax-peers = 7", Ok(&["--dir=films", "--max-peers=7"]));
        check("upload-limit = '2M'\nport = 0x10", Ok(&["--upload-limit=2M", "--port=16"]));
        check("tracker = ['ws://a', 'ws://b']", Ok(&["--tracker=ws://a", "--tracker=ws://b"]));
        check("tracker = 'ws://a'\nlocal-web-seeds = false", Ok(&["--tracker=ws://a"]));
        check("log-addresses = true", Ok(&["--log-addresses"]));
    }

    #[test]
    fn mistakes_are_named_with_line_column_and_what_is_allowed() {
        check(
            "\n  dirr = 'x'",
            Err("f, line 2, column 3: no setting is called \"dirr\"; there are dir, "),
        );
        check("dir = 'x'\nport = 'no'", Err("f, line 2, column 8: port: invalid value 'no'"));
        check("port = 70000", Err("f, line 1, column 8: port: invalid value '70000' for"));
        check("control = 'x'", Err("f, line 1, column 11: control: invalid value 'x'"));
        check("log-addresses = 1", Err("f, line 1, column 17: log-addresses: true or false"));
        check("dir = ['a']", Err("f, line 1, column 7: dir: one value expected, not a list"));
        check("[dir]", Err("f, line 1, column 1: dir: a value expected, not a table"));
        check("dir =", Err("f, line 1, column "));
        check("json = true", Err("f, line 1, column 1: no setting is called \"json\""));
    }

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        let line = ["headwater", "serve", "--dir=a b", "--max-peers=9", "--transports=tcp,utp"];
        let matches = Cli::command().try_get_matches_from(line).expect("usable");
        let printed = print(said(&matches));
        let flags = flags(&printed, None).unwrap_or_else(|e| panic!("{} in {printed}", e.why));
        let again = ["headwater".into(), "serve".into()].into_iter().chain(flags);
        let again = Cli::command().try_get_matches_from(again).expect("usable");
        assert_eq!(print(said(&again)), printed);
        assert!(printed.contains("dir = \"a b\"\n") && printed.contains("max-peers = 9\n"));
        assert!(printed.contains("transports = [\"tcp\", \"utp\"]\n"));
        assert!(printed.contains("# upload-limit =\n") && printed.contains("tracker = []\n"));
    }

    #[test]
    fn what_may_hold_a_password_is_not_printed() {
        let line = ["headwater", "serve", "--proxy=socks5://me:secret@p.example"];
        let matches = Cli::command().try_get_matches_from(line).expect("usable");
        let printed = print(said(&matches));
        assert!(printed.contains("# proxy is set, and not shown"), "{printed}");
        assert!(!printed.contains("secret") && flags(&printed, None).is_ok(), "{printed}");
    }
}
