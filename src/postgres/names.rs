//! How many statements and portals a connection may keep.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use pgwire::api::DEFAULT_NAME;
use pgwire::error::PgWireResult;

use super::sqlstate::{self, LIMIT_EXCEEDED};

const STATEMENTS_MAX: usize = 256;
const PORTALS_MAX: usize = 16;

/// The names that a connection has used.
#[derive(Debug, Default)]
pub(super) struct Names {
    statements: Mutex<BTreeSet<String>>,
    portals: Mutex<BTreeSet<String>>,
}

impl Names {
    /// A statement is kept under this name.
    ///
    /// # Errors
    /// When there are too many.
    pub fn statement(&self, name: &str) -> PgWireResult<()> {
        keep(&self.statements, name, STATEMENTS_MAX, "prepared statements")
    }

    /// A portal is kept under this name.
    ///
    /// # Errors
    /// When there are too many.
    pub fn portal(&self, name: &str) -> PgWireResult<()> {
        keep(&self.portals, name, PORTALS_MAX, "portals in one transaction")
    }

    /// A statement or a portal is closed.
    pub fn forget(&self, is_statement: bool, name: &str) {
        let kept = if is_statement { &self.statements } else { &self.portals };
        kept.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// All statements are to go: these.
    pub fn forget_statements(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.statements.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All portals are gone.
    pub fn forget_portals(&self) {
        self.portals.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn keep(kept: &Mutex<BTreeSet<String>>, name: &str, max: usize, what: &str) -> PgWireResult<()> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if name != DEFAULT_NAME && !kept.contains(name) {
        if kept.len() >= max {
            let why = format!("a connection keeps at most {max} {what}: close some");
            return Err(sqlstate::error(LIMIT_EXCEEDED, why));
        }
        kept.insert(name.to_owned());
    }
    Ok(())
}
