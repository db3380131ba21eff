//! What server and worker say to each other: frames of a kind, a length and so many bytes.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use datafusion::scalar::ScalarValue;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::query::error::QueryError;
use crate::query::request::Dialect;

/// A frame that a worker may get is no larger: statement and parameters are far smaller.
pub(super) const QUESTION_BYTES_MAX: usize = 64 << 20;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the worker, once: it is ready; JSON of [`Ready`].
    Ready,
    /// To the worker: JSON of [`Question`].
    Question,
    /// To the worker: JSON of [`Question`], of which only parameters and columns are wanted.
    Describe,
    /// To the worker, after a question: its parameters, an Arrow IPC stream of one row. From the
    /// worker, of a described one: their types, an Arrow IPC stream without rows.
    Parameters,
    /// From the worker: the versions of the tables that are read; JSON.
    Versions,
    /// From the worker: a part of an Arrow IPC stream.
    Rows,
    /// From the worker: no more rows; JSON of `Option<Failure>`.
    End,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Ready,
        Self::Question,
        Self::Describe,
        Self::Parameters,
        Self::Versions,
        Self::Rows,
        Self::End,
    ];

    const fn byte(self) -> u8 {
        match self {
            Self::Ready => b'r',
            Self::Question => b'q',
            Self::Describe => b's',
            Self::Parameters => b'p',
            Self::Versions => b'v',
            Self::Rows => b'd',
            Self::End => b'e',
        }
    }
}

/// What a worker says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// The lake that it has opened.
    pub lake: String,
}

/// One question, without its parameters.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub sql: String,
    /// The most rows to answer; one more tells that there are more.
    pub rows: usize,
    /// The tenants whose rows it sees; `None`: everyone's.
    pub tenants: Option<Vec<String>>,
    /// How it is read.
    pub dialect: Dialect,
    /// Rows that are left out at the beginning.
    pub offset: usize,
    /// The versions of tables that are read, where not the newest.
    pub versions: Vec<(String, u64)>,
}

/// An error of the worker's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    code: String,
    message: String,
}

impl Failure {
    pub(super) fn of(error: &QueryError) -> Self {
        let message = match error {
            QueryError::Invalid(text)
            | QueryError::NotReadOnly(text)
            | QueryError::UnknownName(text)
            | QueryError::TooLarge(text)
            | QueryError::Failed(text)
            | QueryError::Unavailable(text)
            | QueryError::Internal(text) => text.clone(),
            QueryError::Timeout(_) | QueryError::Cancelled => String::new(),
        };
        Self { code: error.code().to_owned(), message }
    }

    pub(super) fn into_error(self) -> QueryError {
        let Self { code, message } = self;
        match code.as_str() {
            "sql_invalid" => QueryError::Invalid(message),
            "not_read_only" => QueryError::NotReadOnly(message),
            "unknown_name" => QueryError::UnknownName(message),
            "too_large" => QueryError::TooLarge(message),
            "sql_failed" => QueryError::Failed(message),
            "unavailable" => QueryError::Unavailable(message),
            _ => QueryError::Internal(message),
        }
    }
}

/// Writes a frame.
///
/// # Errors
/// When the other side is gone, or the frame is larger than one may be.
pub(super) async fn write(
    out: &mut (impl AsyncWrite + Unpin),
    kind: Kind,
    bytes: &[u8],
) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| invalid("a frame of 4 GiB"))?;
    out.write_u8(kind.byte()).await?;
    out.write_u32_le(length).await?;
    out.write_all(bytes).await?;
    out.flush().await
}

/// Reads a frame; `None`: the other side has ended.
///
/// # Errors
/// When it breaks off, or is larger than allowed.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> std::io::Result<Option<(Kind, Vec<u8>)>> {
    let byte = match from.read_u8().await {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        byte => byte?,
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.byte() == byte);
    let kind = kind.ok_or_else(|| invalid("a frame of no known kind"))?;
    let length = usize::try_from(from.read_u32_le().await?).unwrap_or(usize::MAX);
    if length > bytes_max {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    Ok(Some((kind, bytes)))
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}

/// Parameters as an Arrow IPC stream of one row.
///
/// # Errors
/// When a type has no array.
pub(super) fn parameters(values: &[ScalarValue]) -> Result<Vec<u8>, QueryError> {
    let internal = |why: String| QueryError::Internal(why);
    let columns: Result<Vec<ArrayRef>, _> = values.iter().map(ScalarValue::to_array).collect();
    let columns = columns.map_err(|why| internal(why.strip_backtrace()))?;
    let field = |(place, column): (usize, &ArrayRef)| {
        Field::new(place.to_string(), column.data_type().clone(), true)
    };
    let schema: SchemaRef =
        Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()));
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let encoded = || -> Result<Vec<u8>, ArrowError> {
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &one_row)?;
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    encoded().map_err(|why| internal(why.to_string()))
}

/// Columns as an Arrow IPC stream without rows.
///
/// # Errors
/// When a type cannot be written.
pub(super) fn columns(schema: &Schema) -> Result<Vec<u8>, ArrowError> {
    StreamWriter::try_new(Vec::new(), schema)?.into_inner()
}

/// Columns back from their stream.
///
/// # Errors
/// When this is no such stream.
pub(super) fn columns_of(bytes: &[u8]) -> Result<SchemaRef, QueryError> {
    let reader = StreamReader::try_new(Cursor::new(bytes), None);
    reader.map(|reader| reader.schema()).map_err(|why| QueryError::Internal(why.to_string()))
}

/// Parameters back from their row.
///
/// # Errors
/// When this is no such row.
pub(super) fn parameters_of(bytes: &[u8]) -> Result<Vec<ScalarValue>, QueryError> {
    let internal = |why: String| QueryError::Internal(why);
    let reader = StreamReader::try_new(Cursor::new(bytes), None);
    let batch = reader.and_then(|mut reader| reader.next().transpose());
    let batch = batch.map_err(|why| internal(why.to_string()))?;
    let batch = batch.ok_or_else(|| internal("no parameters".to_owned()))?;
    let values = batch.columns().iter().map(|column| ScalarValue::try_from_array(column, 0));
    values.collect::<Result<_, _>>().map_err(|why| internal(why.strip_backtrace()))
}

fn invalid(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}
