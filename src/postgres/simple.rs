//! The simple protocol: a text of statements, answered one after the other.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::BytesMut;
use futures::{Sink, SinkExt, stream};
use pgwire::api::portal::Format;
use pgwire::api::query::{SimpleQueryHandler, send_query_response, send_ready_for_query};
use pgwire::api::results::{FieldFormat, FieldInfo, QueryResponse, Response, Tag};
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::DataRow;
use pgwire::messages::response::{
    CommandComplete, EmptyQueryResponse, NoticeResponse, TransactionStatus,
};
use pgwire::messages::simplequery::Query;

use super::command::Command;
use super::rows;
use super::session::Session;
use super::sqlstate::{self, FEATURE_NOT_SUPPORTED, IN_FAILED_TRANSACTION};
use super::words::{Sentence, sentences};

#[async_trait]
impl SimpleQueryHandler for Session {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let sentences = sentences(&query.query);
        if sentences.is_empty() {
            let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
            client.feed(empty).await?;
        }
        for sentence in &sentences {
            // Each is answered in full before the next one begins.
            let response = self.answer(client, sentence).await?;
            respond(client, response).await?;
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        let status = client.transaction_status();
        if matches!(status, TransactionStatus::Idle) {
            client.portal_store().clear_portals();
        }
        send_ready_for_query(client, status).await
    }

    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let mut responses = Vec::new();
        for sentence in &sentences(query) {
            responses.push(self.answer(client, sentence).await?);
        }
        Ok(responses)
    }
}

impl Session {
    async fn answer<C>(&self, client: &mut C, sentence: &Sentence) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let command = Command::of(sentence);
        if command != Command::Ask {
            return self.obey(client, &command, &Format::UnifiedText).await;
        }
        refuse_in_failed_transaction(client.transaction_status())?;
        let asked = self.ask(&sentence.text, Vec::new()).await?;
        Ok(Response::Query(rows::response(asked, None, &Format::UnifiedText)))
    }

    /// Does what is no question.
    pub async fn obey<C>(
        &self,
        client: &mut C,
        command: &Command,
        format: &Format,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // A connection whose key is gone does nothing any more.
        self.caller()?;
        let status = client.transaction_status();
        let done = |tag: &str| Response::Execution(Tag::new(tag));
        if !matches!(command, Command::Commit | Command::Rollback) {
            refuse_in_failed_transaction(status)?;
        }
        Ok(match command {
            Command::Ask => Response::EmptyQuery,
            Command::Begin => Response::TransactionStart(Tag::new("BEGIN")),
            Command::Commit if matches!(status, TransactionStatus::Error) => {
                Response::TransactionEnd(Tag::new("ROLLBACK"))
            }
            Command::Commit => Response::TransactionEnd(Tag::new("COMMIT")),
            Command::Rollback => Response::TransactionEnd(Tag::new("ROLLBACK")),
            Command::Nothing(tag) => done(tag),
            Command::Set { name, value } => {
                let told = self.settings().set(name, value.as_deref())?;
                if let Some(told) = told {
                    let notice = NoticeResponse::from(sqlstate::notice(told));
                    client.feed(PgWireBackendMessage::NoticeResponse(notice)).await?;
                }
                done(if value.is_some() { "SET" } else { "RESET" })
            }
            Command::Show(name) => {
                let value = self.settings().show(name)?;
                Response::Query(table(&[name.as_str()], &[vec![value]], format))
            }
            Command::ShowAll => {
                let all = self.settings().all();
                let all: Vec<_> = all.into_iter().map(|(name, value)| vec![name, value]).collect();
                Response::Query(table(&["name", "setting"], &all, format))
            }
            Command::ResetAll => {
                self.settings().reset_all();
                done("RESET")
            }
            Command::DiscardAll => {
                self.settings().reset_all();
                self.close_all(client);
                done("DISCARD ALL")
            }
            Command::Deallocate(name) => {
                match name {
                    Some(name) => {
                        self.names().forget(true, name);
                        client.portal_store().rm_statement(name);
                    }
                    None => self.close_all(client),
                }
                done(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" })
            }
            Command::Unsupported(why) => {
                return Err(sqlstate::error(FEATURE_NOT_SUPPORTED, *why));
            }
        })
    }
}

impl Session {
    /// Closes every prepared statement and portal.
    fn close_all<C>(&self, client: &C)
    where
        C: ClientPortalStore,
        C::PortalStore: PortalStore,
    {
        for name in self.names().forget_statements() {
            client.portal_store().rm_statement(&name);
        }
        client.portal_store().clear_portals();
        self.names().forget_portals();
    }
}

/// Sends a response in full.
pub(super) async fn respond<C>(client: &mut C, response: Response) -> PgWireResult<()>
where
    C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::PortalStore: PortalStore,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let status = client.transaction_status();
    let tag = match response {
        Response::Query(rows) => return send_query_response(client, rows, true).await,
        Response::TransactionStart(tag) => {
            client.set_transaction_status(status.to_in_transaction_state());
            tag
        }
        Response::TransactionEnd(tag) => {
            client.set_transaction_status(status.to_idle_state());
            client.portal_store().clear_portals();
            tag
        }
        Response::Execution(tag) => tag,
        _ => {
            let empty = PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new());
            return Ok(client.feed(empty).await?);
        }
    };
    let complete = PgWireBackendMessage::CommandComplete(CommandComplete::from(tag));
    Ok(client.feed(complete).await?)
}

pub(super) fn refuse_in_failed_transaction(status: TransactionStatus) -> PgWireResult<()> {
    if matches!(status, TransactionStatus::Error) {
        let why = "the transaction has failed: nothing is answered until it ends";
        return Err(sqlstate::error(IN_FAILED_TRANSACTION, why));
    }
    Ok(())
}

/// Columns of text.
pub(super) fn text_columns(names: &[&str], format: &Format) -> Vec<FieldInfo> {
    let binary = matches!(format, Format::UnifiedBinary);
    let format = if binary { FieldFormat::Binary } else { FieldFormat::Text };
    let column = |name: &&str| FieldInfo::new((*name).to_owned(), None, None, Type::TEXT, format);
    names.iter().map(column).collect()
}

/// Rows of text, which is the same in both formats.
fn table(names: &[&str], rows: &[Vec<String>], format: &Format) -> QueryResponse {
    let row = |cells: &Vec<String>| {
        let mut out = BytesMut::new();
        for cell in cells {
            out.extend_from_slice(&i32::try_from(cell.len()).unwrap_or(0).to_be_bytes());
            out.extend_from_slice(cell.as_bytes());
        }
        Ok(DataRow::new(out, i16::try_from(cells.len()).unwrap_or(0)))
    };
    let rows: Vec<PgWireResult<DataRow>> = rows.iter().map(row).collect();
    let mut response =
        QueryResponse::new(Arc::new(text_columns(names, format)), stream::iter(rows));
    response.set_command_tag("SHOW");
    response
}
