//! `keys`: who may send events, who may ask.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::data_dir::{self, Holder};
use super::node;
use super::remote::Remote;
use super::table;
use crate::api::keys::{ControlKeys, KeyRecord, KeyRing};
use crate::api::{KeyRequest, KeyView};
use crate::cli::say::say;
use crate::config::Config;
use crate::lake::{Lake, TableName};
use crate::time::{Clock, SystemClock};

/// What `keys` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// A server, instead of the configured lake.
    #[arg(long, global = true)]
    url: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key; it is shown once.
    Create {
        /// Whose key it is: the namespace of the event ids sent with it.
        #[arg(long)]
        owner: String,
        /// What it may do: ingest, query, admin.
        #[arg(long, value_delimiter = ',', default_value = "ingest")]
        scopes: Vec<String>,
        /// Whose rows it may read; an ingest key with exactly one asserts it.
        #[arg(long, value_delimiter = ',')]
        tenants: Vec<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
        /// Whether a caller's own word counts for the tenant.
        #[arg(long)]
        claims_allowed: bool,
        /// When it ends, RFC 3339.
        #[arg(long)]
        expires_at: Option<String>,
    },
    /// Show every key, without its text.
    List,
    /// End a key.
    Revoke {
        /// Its id, as `list` shows it.
        key_id: String,
    },
}

/// Creates, lists or revokes keys.
///
/// # Errors
/// What is wrong with the key, or that the table cannot be reached.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let config = node::configure(config)?;
    let holder = match args.url {
        Some(url) => Holder::Server(url),
        None => data_dir::holder(&config.data_dir)?,
    };
    let answer = match holder {
        Holder::Server(url) => over_http(&Remote::new(&url), args.command).await?,
        _ => in_the_lake(&config, args.command).await?,
    };
    show(&answer);
    Ok(ExitCode::SUCCESS)
}

async fn over_http(remote: &Remote, command: Command) -> Result<Value> {
    let bytes = match command {
        Command::List => remote.get("/v1/keys").await?,
        Command::Revoke { key_id } => remote.delete(&format!("/v1/keys/{key_id}")).await?,
        create => remote.post("/v1/keys", &request(&create)?).await?,
    };
    Ok(if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? })
}

async fn in_the_lake(config: &Config, command: Command) -> Result<Value> {
    let clock = Arc::new(SystemClock);
    let lake = Lake::open(&config.lake, clock.clone()).await?;
    let store = Arc::new(ControlKeys::new(lake.table(TableName::Control).clone()));
    let ring = KeyRing::open(store, clock).await?;
    match command {
        Command::List => Ok(ring.records().iter().map(view).collect::<Result<_>>()?),
        Command::Revoke { key_id } => view(&ring.revoke(&key_id).await?),
        create => {
            let request: KeyRequest = serde_json::from_value(request(&create)?)?;
            let (record, text) = ring.create(request.terms()?).await?;
            let mut shown = view(&record)?;
            if let Value::Object(fields) = &mut shown {
                fields.insert("key".to_owned(), json!(text.reveal()));
            }
            Ok(shown)
        }
    }
}

fn view(record: &KeyRecord) -> Result<Value> {
    serde_json::to_value(KeyView::of(record, SystemClock.now())).context("showing a key")
}

fn request(command: &Command) -> Result<Value> {
    let Command::Create { owner, scopes, tenants, label, claims_allowed, expires_at } = command
    else {
        bail!("only `create` makes a key")
    };
    let mut request = json!({
        "owner": owner, "scopes": scopes, "tenants": tenants, "label": label,
        "claims_allowed": claims_allowed,
    });
    if let (Some(at), Value::Object(fields)) = (expires_at, &mut request) {
        fields.insert("expires_at".to_owned(), json!(at));
    }
    Ok(request)
}

/// One key as its fields, several as a table.
fn show(answer: &Value) {
    match answer {
        Value::Array(keys) => {
            let first = keys.iter().find_map(Value::as_object);
            let columns: Vec<String> =
                first.map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
            let cell = |key: &Value, column: &String| key.get(column).cloned().unwrap_or_default();
            let rows: Vec<Vec<Value>> = keys
                .iter()
                .map(|key| columns.iter().map(|column| cell(key, column)).collect())
                .collect();
            print!("{}", table::draw(&columns, &rows));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                say!("{name}: {}", table::text(value));
            }
        }
        _ => say!("done"),
    }
}
