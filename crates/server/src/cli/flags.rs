//! Settings as flags.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::settings::{CONFIG, Setting, Source, Variables, Written, groups, is_of_log, settings};

/// What `--help` says at its end.
const AFTER_HELP: &str = "\
These are the most used of the settings; --help-all shows all. Each is a flag, a
variable like OTLP_RELAY_MAX_BODY and a key of the file like max-body.";

/// Adds the flags of the relay.
pub(super) fn add(command: Command) -> Command {
    let mut command = command.disable_help_flag(true).after_help(AFTER_HELP);
    for group in groups() {
        let flags = group.settings.iter().filter(|setting| !is_of_log(setting));
        command = command.args(flags.map(|setting| flag(setting).help_heading(group.title)));
    }
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(value_parser!(std::path::PathBuf))
        .help("A file of settings; flags and variables count more")
        .long_help(
            "A file of settings, as TOML; flags and variables count more [OTLP_RELAY_CONFIG]",
        );
    let help_all = Arg::new("help-all").long("help-all");
    command.args([
        config,
        help().action(ArgAction::HelpShort),
        help_all
            .action(ArgAction::HelpLong)
            .help("Print all settings, with more words"),
    ])
}

/// The flag that every command has, and would have by itself if one did not do it otherwise.
pub(super) fn help() -> Arg {
    let help = Arg::new("help").short('h').long("help");
    help.action(ArgAction::Help).help("Print help")
}

/// The flags of every task.
pub(super) fn of_log() -> impl Iterator<Item = Arg> {
    settings()
        .filter(|setting| is_of_log(setting))
        .map(|setting| flag(setting).help_heading("Log").global(true))
}

/// The flag of a setting. Its values are text: whether they are any good is found out later, of
/// all layers at once.
fn flag(setting: &'static Setting) -> Arg {
    let form = setting.form();
    let about = format!(
        "{} [default: {}] [{}]",
        setting.text(),
        setting.default_text(),
        setting.variable()
    );
    let arg = Arg::new(setting.name)
        .long(setting.name)
        .value_name(form.name)
        .help(setting.help)
        .long_help(about)
        .hide_short_help(!setting.is_common)
        .action(match form.many {
            true => ArgAction::Append,
            false => ArgAction::Set,
        });
    match form.written {
        // It needs no value where there is only one to be meant.
        Written::Switch if setting.default_text() == "false" => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        _ => arg,
    }
}

/// The source that flags and variables make together.
pub(super) fn source(matches: &ArgMatches, variables: Variables) -> Source {
    let mut source = Source::new(variables);
    if let Some(path) = super::file(matches) {
        source = source.with_config(path);
    }
    for setting in settings() {
        // Not every task has all of them.
        let values = matches.try_get_many::<String>(setting.name);
        if let Some(values) = values.ok().flatten() {
            source = source.with_flag(setting, values.cloned().collect());
        }
    }
    source
}
