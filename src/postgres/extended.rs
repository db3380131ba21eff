//! The extended protocol: statements with parameters, and portals that are read a part at a time.

use std::fmt::Debug;
use std::ops::DerefMut;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use async_trait::async_trait;
use datafusion::scalar::ScalarValue;
use futures::{Sink, SinkExt};
use pgwire::api::portal::{Format, Portal, PortalExecutionState};
use pgwire::api::query::{ExtendedQueryHandler, send_partial_query_response};
use pgwire::api::results::{FieldInfo, Response, Tag};
use pgwire::api::stmt::{QueryParser, StoredStatement};
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Execute, Parse, ParseComplete, Sync,
    TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{
    CommandComplete, EmptyQueryResponse, ReadyForQuery, TransactionStatus,
};

use super::command::Command;
use super::session::Session;
use super::simple::{refuse_in_failed_transaction, respond, text_columns};
use super::sqlstate::{
    self, INVALID_BINARY, INVALID_CURSOR_NAME, INVALID_TEXT, PROTOCOL_VIOLATION, SYNTAX_ERROR,
};
use super::words::sentences;
use super::{column, parameter, rows};
use crate::query::Described;

/// A statement that a client has prepared.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    text: Arc<str>,
    command: Command,
    /// What a question's answer is like.
    described: Option<Arc<Described>>,
}

/// A connection's extended protocol.
pub(super) struct Extended(Arc<Session>);

impl Extended {
    pub const fn new(session: Arc<Session>) -> Self {
        Self(session)
    }
}

/// Prepares statements for a session.
pub(super) struct Parser(Arc<Session>);

#[async_trait]
impl QueryParser for Parser {
    type Statement = Prepared;

    async fn parse_sql<C>(
        &self,
        client: &C,
        sql: &str,
        declared: &[Option<Type>],
    ) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + std::marker::Sync,
    {
        let mut found = sentences(sql);
        let Some(sentence) = found.pop() else { return Ok(None) };
        if !found.is_empty() {
            let why = "a prepared statement is one statement";
            return Err(sqlstate::error(SYNTAX_ERROR, why));
        }
        let (command, text) = (Command::of(&sentence), Arc::from(sentence.text.as_str()));
        if command != Command::Ask {
            return Ok(Some(Prepared { text, command, described: None }));
        }
        refuse_in_failed_transaction(client.transaction_status())?;
        let null = |declared: &Option<Type>| {
            let kind = declared.as_ref().and_then(parameter::kind).unwrap_or(DataType::Null);
            ScalarValue::try_from(&kind).unwrap_or(ScalarValue::Null)
        };
        let nulls = declared.iter().map(null).collect();
        let described = self.0.describe(&text, nulls).await?;
        Ok(Some(Prepared { text, command, described: Some(Arc::new(described)) }))
    }

    fn get_parameter_types(&self, statement: &Prepared) -> PgWireResult<Vec<Type>> {
        let described = statement.described.as_ref();
        Ok(described.map_or_else(Vec::new, |told| told.parameters.iter().map(column::of).collect()))
    }

    fn get_result_schema(
        &self,
        statement: &Prepared,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        let format = format.unwrap_or(&Format::UnifiedText);
        Ok(match (&statement.described, &statement.command) {
            (Some(told), _) => rows::columns(&told.schema, format).to_vec(),
            (None, Command::Show(name)) => text_columns(&[name], format),
            (None, Command::ShowAll) => text_columns(&["name", "setting"], format),
            _ => Vec::new(),
        })
    }
}

#[async_trait]
impl ExtendedQueryHandler for Extended {
    type Statement = Prepared;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Parser> {
        Arc::new(Parser(Arc::clone(&self.0)))
    }

    async fn on_parse<C>(&self, client: &mut C, message: Parse) -> PgWireResult<()>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned());
        self.0.names().statement(&name)?;
        match StoredStatement::parse(client, &message, self.query_parser()).await? {
            Some(statement) => client.portal_store().put_statement(Arc::new(statement)),
            None => client.portal_store().put_empty_statement(&name),
        }
        let complete = PgWireBackendMessage::ParseComplete(ParseComplete::new());
        Ok(client.feed(complete).await?)
    }

    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
        self.0.names().portal(portal)?;
        match client.portal_store().get_statement(statement) {
            Some(Entry::Value(statement)) => {
                check_bind(&message, &statement.statement)?;
                let portal = Portal::try_new(&message, statement)?;
                client.portal_store().put_portal(Arc::new(portal));
            }
            Some(Entry::Empty) => client.portal_store().put_empty_portal(portal),
            None => return Err(PgWireError::StatementNotFound(statement.to_owned())),
        }
        let complete = PgWireBackendMessage::BindComplete(BindComplete::new());
        Ok(client.feed(complete).await?)
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let rows_max = usize::try_from(message.max_rows).unwrap_or(0);
        client.set_state(PgWireConnectionState::QueryInProgress);
        match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal)) => self.execute(client, &portal, rows_max).await?,
            Some(Entry::Empty) => {
                let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
                client.feed(empty).await?;
            }
            None => {
                let why = format!("there is no portal `{name}`");
                return Err(sqlstate::error(INVALID_CURSOR_NAME, why));
            }
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    async fn on_sync<C>(&self, client: &mut C, _: Sync) -> PgWireResult<()>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let status = client.transaction_status();
        // Portals live as long as their transaction: outside of one, until now.
        if matches!(status, TransactionStatus::Idle) {
            client.portal_store().clear_portals();
            self.0.names().forget_portals();
        }
        Ok(client.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))).await?)
    }

    async fn on_close<C>(&self, client: &mut C, message: Close) -> PgWireResult<()>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let is_statement = message.target_type == TARGET_TYPE_BYTE_STATEMENT;
        self.0.names().forget(is_statement, name);
        if is_statement {
            client.portal_store().rm_statement(name);
        } else {
            client.portal_store().rm_portal(name);
        }
        Ok(client.feed(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?)
    }

    async fn do_query<C>(
        &self,
        client: &mut C,
        portal: &Portal<Prepared>,
        _: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &portal.statement.statement;
        let format = &portal.result_column_format;
        let Some(told) = &prepared.described else {
            return self.0.obey(client, &prepared.command, format).await;
        };
        refuse_in_failed_transaction(client.transaction_status())?;
        let parameters = bound(portal, &told.parameters)?;
        let asked = self.0.ask(&prepared.text, parameters).await?;
        Ok(Response::Query(rows::response(asked, Some(&told.schema), format)))
    }
}

impl Extended {
    /// Sends a portal's next rows.
    async fn execute<C>(
        &self,
        client: &mut C,
        portal: &Portal<Prepared>,
        rows_max: usize,
    ) -> PgWireResult<()>
    where
        C: ClientInfo
            + ClientPortalStore
            + Sink<PgWireBackendMessage>
            + Unpin
            + Send
            + std::marker::Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let state = portal.state();
        let mut state = state.lock().await;
        if matches!(*state, PortalExecutionState::Initial) {
            match self.do_query(client, portal, rows_max).await? {
                Response::Query(rows) => *state = PortalExecutionState::Suspended(rows),
                other => {
                    *state = PortalExecutionState::Finished;
                    return respond(client, other).await;
                }
            }
        }
        let PortalExecutionState::Suspended(rows) = state.deref_mut() else {
            let none = CommandComplete::from(Tag::new("SELECT").with_rows(0));
            return Ok(client.feed(PgWireBackendMessage::CommandComplete(none)).await?);
        };
        let has_more = send_partial_query_response(client, rows, rows_max).await;
        if !matches!(has_more, Ok(true)) {
            *state = PortalExecutionState::Finished;
        }
        has_more.map(drop)
    }
}

/// Refuses formats and parameters that are not the statement's.
fn check_bind(bind: &Bind, statement: &Prepared) -> PgWireResult<()> {
    let told = statement.described.as_deref();
    let wanted = told.map_or(0, |told| told.parameters.len());
    let given = bind.parameters.len();
    if given != wanted {
        let why = format!("{given} parameters for a statement of {wanted}");
        return Err(sqlstate::error(PROTOCOL_VIOLATION, why));
    }
    let formats = bind.parameter_format_codes.len();
    let columns = bind.result_column_format_codes.len();
    let has = told.map_or(columns, |told| told.schema.fields().len());
    if formats > 1 && formats != given || columns > 1 && columns != has {
        let why = "the number of formats is not that of parameters or columns";
        return Err(sqlstate::error(PROTOCOL_VIOLATION, why));
    }
    Ok(())
}

/// A portal's parameters.
fn bound(portal: &Portal<Prepared>, told: &[FieldRef]) -> PgWireResult<Vec<ScalarValue>> {
    let declared = &portal.statement.parameter_types;
    let value = |(place, field): (usize, &FieldRef)| {
        let of = declared.get(place).cloned().flatten();
        let of = of.unwrap_or_else(|| column::of(field));
        let bytes = portal.parameters.get(place).and_then(Option::as_deref);
        let is_binary = match &portal.parameter_format {
            Format::UnifiedText => false,
            Format::UnifiedBinary => true,
            Format::Individual(codes) => codes.get(place) == Some(&1),
        };
        parameter::value(&of, field.data_type(), bytes, is_binary).map_err(|why| {
            let code = if is_binary { INVALID_BINARY } else { INVALID_TEXT };
            sqlstate::error(code, format!("${}: {why}", place + 1))
        })
    };
    told.iter().enumerate().map(value).collect()
}
