//! An answer's rows as the wire's messages, batch by batch as they come.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::error::ArrowError;
use bytes::BytesMut;
use futures::stream::{self, StreamExt};
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldFormat, FieldInfo, QueryResponse};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::data::DataRow;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::ask::Asked;
use super::sqlstate::{self, LIMIT_EXCEEDED, QUERY_CANCELED};
use super::{cell, column};

/// The columns of an answer, in the formats that the client wants.
pub(super) fn columns(schema: &SchemaRef, format: &Format) -> Arc<Vec<FieldInfo>> {
    let fields = schema.fields().iter().enumerate();
    Arc::new(fields.map(|(place, field)| column::told(field, wanted(format, place))).collect())
}

fn wanted(format: &Format, place: usize) -> FieldFormat {
    match format {
        Format::UnifiedText => FieldFormat::Text,
        Format::UnifiedBinary => FieldFormat::Binary,
        Format::Individual(codes) => {
            codes.get(place).copied().map_or(FieldFormat::Text, FieldFormat::from)
        }
    }
}

/// The response to a question; `told`: the columns as the client was told of them before.
pub(super) fn response(asked: Asked, told: Option<&SchemaRef>, format: &Format) -> QueryResponse {
    let schema = told.cloned().unwrap_or_else(|| asked.answer.schema());
    let columns = columns(&schema, format);
    let writer = Arc::new(Writer { schema, columns: Arc::clone(&columns) });
    let batches = stream::unfold(Some(Kept::new(asked)), move |kept| {
        let writer = Arc::clone(&writer);
        async move {
            let kept = kept?;
            let batch = match kept.asked.lock().await.as_mut() {
                Some(asked) => next(asked).await?,
                None => Err(sqlstate::error(QUERY_CANCELED, "nobody read on within its time")),
            };
            Some(match batch {
                Ok(batch) => (writer.rows(&batch), Some(kept)),
                Err(error) => (vec![Err(error)], None),
            })
        }
    });
    QueryResponse::new(columns, batches.flat_map(stream::iter))
}

/// An answer that is read in parts. When its time is over it gives worker and place back, whether
/// or not anybody reads on.
struct Kept {
    asked: Arc<Mutex<Option<Asked>>>,
    expiry: AbortHandle,
}

impl Kept {
    fn new(asked: Asked) -> Self {
        let deadline = asked.answer.deadline();
        let asked = Arc::new(Mutex::new(Some(asked)));
        let kept = Arc::clone(&asked);
        let expiry = tokio::spawn(async move {
            tokio::time::sleep_until(deadline).await;
            kept.lock().await.take();
        });
        Self { asked, expiry: expiry.abort_handle() }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.expiry.abort();
    }
}

/// The next rows. An answer that was cut off ends with an error: a part must not pass for all.
async fn next(asked: &mut Asked) -> Option<PgWireResult<RecordBatch>> {
    match asked.answer.next().await {
        Some(batch) => Some(batch.map_err(|why| sqlstate::of_query(&why))),
        None if asked.answer.truncated() => {
            let rows = asked.answer.used().rows();
            let why = format!(
                "the answer has more than {rows} rows (`query.rows_max`): these are not all; \
                 narrow it, or add a LIMIT"
            );
            Some(Err(sqlstate::error(LIMIT_EXCEEDED, why)))
        }
        None => None,
    }
}

struct Writer {
    schema: SchemaRef,
    columns: Arc<Vec<FieldInfo>>,
}

impl Writer {
    fn rows(&self, batch: &RecordBatch) -> Vec<PgWireResult<DataRow>> {
        let plain = self.schema.fields().iter().zip(batch.columns()).map(as_told);
        match plain.collect::<Result<Vec<_>, _>>() {
            Ok(plain) if plain.len() == self.columns.len() => {
                (0..batch.num_rows()).map(|row| self.row(&plain, row)).collect()
            }
            Ok(_) => vec![Err(unwritable())],
            Err(_) => vec![Err(unwritable())],
        }
    }

    fn row(&self, plain: &[ArrayRef], row: usize) -> PgWireResult<DataRow> {
        let mut out = BytesMut::with_capacity(16 * plain.len());
        for (column, info) in plain.iter().zip(self.columns.iter()) {
            let is_binary = info.format() == FieldFormat::Binary;
            cell::put(&mut out, column, row, (info.datatype(), is_binary))
                .map_err(|_| unwritable())?;
        }
        let count = i16::try_from(plain.len()).map_err(|_| unwritable())?;
        Ok(DataRow::new(out, count))
    }
}

/// A column in the plain form of the type that the client was told.
fn as_told((told, column): (&FieldRef, &ArrayRef)) -> Result<ArrayRef, ArrowError> {
    let found = Arc::new(told.as_ref().clone().with_data_type(column.data_type().clone()));
    // Decimals of whatever scale are one type: none is rounded.
    let is_as_told = column::of(&found) == column::of(told);
    if is_as_told {
        column::to_plain(column)
    } else {
        column::to_plain(&cast(column, told.data_type())?)
    }
}

/// What was wrong would quote a row.
fn unwritable() -> PgWireError {
    sqlstate::error("22003", "a value of the answer has no form on this wire: ask over HTTP")
}
