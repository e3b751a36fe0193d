//! What can be said on the command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

/// Usage metering and limits, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "weir", version, about, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and the console
    Serve(ServeArgs),
    /// Make, list and revoke API keys
    Keys(KeysArgs),
    /// Put limits into force from a file, and write them as one
    Limits(LimitsArgs),
    /// Say where the key of webhooks' signing secrets is kept, and keep it elsewhere
    Secrets(SecretsArgs),
    /// Record the usage in a CSV or JSON Lines file; running it again adds only what is new
    Import(ImportArgs),
    /// Recompute everything from the recorded events and print any difference
    Doctor(DataArgs),
    /// Write a copy of the data to a file, while it is in use or not
    Backup(BackupArgs),
    /// Put a backup in the place of the data
    Restore(RestoreArgs),
    /// Draw a meter's usage as an SVG or PNG file
    Chart(ChartArgs),
}

/// Where the data lies.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// The folder that holds the data
    #[arg(long = "data", value_name = "DIR", env = "WEIR_DATA", value_parser = absolute)]
    pub dir: PathBuf,
}

/// The folder is also shown to people elsewhere, to whom a relative path says nothing.
fn absolute(path: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Where to listen; anything but a loopback address lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub listen: String,
    /// A host name by which browsers may call this server, besides addresses and localhost
    #[arg(long = "allow-host", value_name = "NAME")]
    pub allow_hosts: Vec<String>,
    /// Serve over TLS with the certificate in this file, PEM, its chain included; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM, unencrypted
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// How log lines are written, to standard error; how much is said is up to WEIR_LOG, such as `debug` for every request
    #[arg(long, value_name = "FORMAT", env = "WEIR_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// A JSON object a line
    Json,
}

/// What to do with keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// How many calls a key may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls(pub Option<u32>);

impl std::str::FromStr for Calls {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Calls(None)),
            text => {
                text.parse().map(|calls| Calls(Some(calls))).map_err(|_| "must be a whole number, or none".to_owned())
            }
        }
    }
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and print it; it is shown this once
    Create {
        #[command(flatten)]
        data: DataArgs,
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do; each scope includes the ones before it
        #[arg(long)]
        scope: KeyScope,
        /// When it stops working, such as 2030-01-01T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Most calls within any minute
        #[arg(long, value_name = "N|none", default_value = "none")]
        per_minute: Calls,
        /// Most calls within any day
        #[arg(long, value_name = "N|none", default_value = "none")]
        per_day: Calls,
    },
    /// Give a key a new secret and print it; it is shown this once
    Rotate {
        #[command(flatten)]
        data: DataArgs,
        /// The key's id, as listed
        id: String,
        /// For how many seconds the secret until now stays good
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap: u32,
    },
    /// List the keys, without their secrets
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Revoke a key at once
    Revoke {
        #[command(flatten)]
        data: DataArgs,
        /// The key's id, as listed
        id: String,
    },
}

/// What a key may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KeyScope {
    /// Read and check
    Read,
    /// Also record usage
    Ingest,
    /// Everything
    Manage,
}

impl KeyScope {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyScope::Read => "read",
            KeyScope::Ingest => "ingest",
            KeyScope::Manage => "manage",
        }
    }
}

/// What to do with limits.
#[derive(Debug, Args)]
pub struct LimitsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: LimitsCommand,
}

/// What to do with limits.
#[derive(Debug, Subcommand)]
pub enum LimitsCommand {
    /// Put the limits of a file into force, all or none; doing it again changes nothing
    #[command(
        after_help = "Exit status: 0 when the limits are in force or the preview is said, 1 when the file is refused."
    )]
    Apply {
        /// The file, TOML or JSON; `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        data: DataArgs,
        /// Only say what would change
        #[arg(long)]
        preview: bool,
        /// Also archive every live limit that the file does not name
        #[arg(long)]
        archive_missing: bool,
        /// How the file is written; by its ending when not given, and TOML where that says nothing
        #[arg(long)]
        format: Option<FileFormat>,
    },
    /// Print every live limit as a file that can be applied
    Export {
        #[command(flatten)]
        data: DataArgs,
        /// How to write it
        #[arg(long, default_value = "toml")]
        format: FileFormat,
    },
}

/// How a file of limits is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// A `[[limit]]` table for each limit
    Toml,
    /// `{"limits": [...]}`
    Json,
}

impl FileFormat {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            FileFormat::Toml => "toml",
            FileFormat::Json => "json",
        }
    }
}

/// What to do with the key of signing secrets.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SecretsArgs {
    /// What to do; only say where it is kept when not given.
    #[command(subcommand)]
    pub command: Option<SecretsCommand>,
    #[command(flatten)]
    pub data: Option<DataArgs>,
}

/// What to do with the key of signing secrets.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Keep the key somewhere else: it is moved there, and every secret stays
    Use {
        /// Where to keep it
        store: SecretStore,
        #[command(flatten)]
        data: DataArgs,
        /// Leave the key where it is and begin with another one: each endpoint needs a new secret then
        #[arg(long)]
        new_key: bool,
    },
}

/// Where the key of signing secrets can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SecretStore {
    /// In the keyring of the system
    Keyring,
    /// In `secret.key` beside the data, which only its user can read
    File,
}

impl SecretStore {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            SecretStore::Keyring => "keyring",
            SecretStore::File => "file",
        }
    }
}

/// What to import and how.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("whose").required(true).args(["customer", "customer_column"])),
    group(ArgGroup::new("what").required(true).args(["event_type", "type_column"])),
    after_help = "Exit status: 0 when every row is recorded, 2 when some were refused, 1 when the import failed."
)]
pub struct ImportArgs {
    /// The file, plain or gzipped; `-` for standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub data: DataArgs,
    /// Whose usage it is
    #[arg(long, value_name = "VALUE")]
    pub customer: Option<String>,
    /// The column that says whose usage it is
    #[arg(long, value_name = "COLUMN")]
    pub customer_column: Option<String>,
    /// What happened, such as llm.completion
    #[arg(long = "type", value_name = "VALUE")]
    pub event_type: Option<String>,
    /// The column that says what happened
    #[arg(long, value_name = "COLUMN")]
    pub type_column: Option<String>,
    /// The column that says when it happened
    #[arg(long, value_name = "COLUMN")]
    pub timestamp: String,
    /// The zone of times that name none, such as Europe/Berlin; UTC when not given
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// A value and the columns that are added up to it; may be repeated
    #[arg(long = "value", value_name = "NAME=COLUMN[+COLUMN...]")]
    pub values: Vec<String>,
    /// A dimension and the column that holds it; may be repeated
    #[arg(long = "dimension", value_name = "NAME=COLUMN")]
    pub dimensions: Vec<String>,
    /// A dimension that is the same for every row; may be repeated
    #[arg(long = "dimension-value", value_name = "NAME=VALUE")]
    pub dimension_values: Vec<String>,
    /// The column that identifies a row for ever; without it a row is known by its content
    #[arg(long, value_name = "COLUMN")]
    pub id_column: Option<String>,
    /// Where to list refused rows; beside the file when not given
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Where to put a backup.
#[derive(Debug, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// A file that does not exist yet
    pub file: PathBuf,
}

/// Which backup to restore.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// The backup
    pub file: PathBuf,
}

/// What to draw.
#[derive(Debug, Args)]
pub struct ChartArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// The meter, by name or id
    #[arg(long)]
    pub meter: String,
    /// Only this customer
    #[arg(long)]
    pub customer: Option<String>,
    /// From this time on; the first event when not given
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Up to this time, exclusive; the last event when not given
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// How finely: 1m, 15m, hour, day, week or month; as fits when not given
    #[arg(long)]
    pub interval: Option<String>,
    /// A line for each of the largest groups by this dimension; may be repeated
    #[arg(long = "group-by", value_name = "DIMENSION")]
    pub group_by: Vec<String>,
    /// The ground the picture is for
    #[arg(long, default_value = "light")]
    pub theme: Theme,
    /// In pixels
    #[arg(long, default_value_t = 960)]
    pub width: u32,
    /// In pixels
    #[arg(long, default_value_t = 480)]
    pub height: u32,
    /// Over the picture; the meter's name when not given
    #[arg(long)]
    pub title: Option<String>,
    /// The file to write, ending in .svg or .png
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// The ground a picture is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Theme {
    /// Dark on white
    Light,
    /// Light on near black
    Dark,
}

impl Theme {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn where_the_data_lies_is_said_once() {
        let parse = |text: &str| Cli::try_parse_from(text.split_whitespace());
        assert!(parse("weir secrets --data d").is_ok());
        assert!(parse("weir secrets use file --data d --new-key").is_ok());
        assert!(parse("weir secrets --data d use file --data d").is_err());
        assert!(parse("weir secrets use environment --data d").is_err());
    }

    #[test]
    fn an_import_needs_to_know_whose_and_what() {
        let parse = |more: &str| {
            Cli::try_parse_from(format!("weir import f.csv --data d --timestamp t {more}").split_whitespace())
        };
        assert!(parse("--customer a --type-column c").is_ok());
        assert!(parse("--customer a").is_err());
        assert!(parse("--type b").is_err());
        assert!(parse("--customer a --customer-column c --type b").is_err());
    }
}
