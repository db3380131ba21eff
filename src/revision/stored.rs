//! Stored rows read back as what was metered: the event, and who it is for.
//!
//! In: rows of `calls`. Out: what metering needs of each, lossless: metered again under the same
//! book and rules they give the same row. Never: the identity's hashes, which are over the event as
//! it came.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, MapArray, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};

use super::RevisionError;
use crate::attribution::{Attribution, TenantSource, WhoSource};
use crate::event::{CallEvent, CallStatus, Json, Rejection, Who};
use crate::money::Usd;
use crate::time::Timestamp;

/// The dialect was inferred: it may be inferred anew.
const DIALECT_INFERRED: &str = "dialect_inferred";
/// What is lost where it was noticed: the stored figure is the rounded one.
const NOTICED_ONCE: [&str; 2] = ["reported_cost_rounded", "reported_cost_out_of_range"];

/// What was metered.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// The event, as far as metering reads it.
    pub event: CallEvent,
    /// Whose event ids these are.
    pub namespace: String,
    /// Who it is for, and how that is known.
    pub attribution: Attribution,
    /// Whether its objects are what they were written as: else nothing is known of its usage.
    pub is_readable: bool,
    /// Remarks that metering the stored event cannot make again.
    pub noticed: Vec<&'static str>,
}

/// Puts a text into an event.
type SetText = fn(&mut CallEvent, String);

/// Text columns that an event is made of; NULL leaves the field as it is.
const TEXTS: [(&str, SetText); 14] = [
    ("event_id", |event, text| event.event_id = text),
    ("source", |event, text| event.source = text),
    ("provider", |event, text| event.provider = text),
    ("api", |event, text| event.api = Some(text)),
    ("usage_dialect", |event, text| event.usage_dialect = Some(text)),
    ("request_model", |event, text| event.request_model = Some(text)),
    ("response_model", |event, text| event.model = text),
    ("operation", |event, text| event.operation = Some(text)),
    ("service_tier", |event, text| event.service_tier = Some(text)),
    ("region", |event, text| event.region = Some(text)),
    ("deployment", |event, text| event.deployment = Some(text)),
    ("reported_cost_source", |event, text| event.reported_cost_source = Some(text)),
    ("error_type", |event, text| event.error_type = Some(text)),
    ("status", |event, text| {
        event.status = CallStatus::from_name(&text).unwrap_or_default();
    }),
];

/// The stored rows of a batch, in its order.
///
/// # Errors
/// [`RevisionError::Lake`] when the batch is not one of `calls`.
pub(super) fn stored(rows: &RecordBatch) -> Result<Vec<Stored>, RevisionError> {
    let mut stored: Vec<Stored> = instants(rows, "occurred_at")?.map(at).collect();
    for (column, set) in TEXTS {
        for (row, text) in stored.iter_mut().zip(texts(rows, column)?) {
            text.into_iter().for_each(|text| set(&mut row.event, text.to_owned()));
        }
    }
    let namespaces = texts(rows, "namespace")?.iter();
    let objects = texts(rows, "raw_usage")?.iter().zip(texts(rows, "context")?);
    for (row, (namespace, (usage, context))) in stored.iter_mut().zip(namespaces.zip(objects)) {
        row.namespace = namespace.unwrap_or_default().to_owned();
        let (usage, context) = (json(usage), json(context));
        row.is_readable = usage.is_ok() && context.is_ok();
        row.event.usage = usage.unwrap_or_default();
        row.event.context = context.unwrap_or_default();
    }
    let tags = maps(rows, "tags")?;
    let costs = named(rows, "reported_cost_usd")?;
    let costs = costs.as_primitive_opt::<Decimal128Type>().ok_or_else(|| wrong("a cost"))?;
    let hits = bools(rows, "gateway_cache_hit")?;
    for (place, row) in stored.iter_mut().enumerate() {
        row.event.tags = entries(tags, place);
        row.event.gateway_cache_hit = hits.is_valid(place).then(|| hits.value(place));
        let cost = costs.is_valid(place).then(|| Usd::from_pico(costs.value(place)));
        row.event.reported_cost = cost.map(Usd::to_decimal);
    }
    remark(rows, &mut stored)?;
    attribute(rows, &mut stored)?;
    Ok(stored)
}

fn at(at: Timestamp) -> Stored {
    let attribution = Attribution {
        who: Who::default(),
        tenant_source: TenantSource::None,
        sources: Vec::new(),
        claimed_who: BTreeMap::new(),
        claims_allowed: false,
    };
    let event = CallEvent::new("", "", at, "", "");
    let (namespace, is_readable, noticed) = (String::new(), true, Vec::new());
    Stored { event, namespace, attribution, is_readable, noticed }
}

fn json(text: Option<&str>) -> Result<Option<Json>, Rejection> {
    text.map(|text| Json::parse(text.as_bytes())).transpose()
}

fn remark(rows: &RecordBatch, stored: &mut [Stored]) -> Result<(), RevisionError> {
    let flags = named(rows, "flags")?;
    let flags = flags.as_list_opt::<i32>().ok_or_else(|| wrong("flags"))?;
    for (row, flags) in stored.iter_mut().zip(flags.iter()) {
        let Some(flags) = flags else { continue };
        let has = |flag: &str| {
            let texts = flags.as_string_opt::<i32>();
            texts.is_some_and(|texts| texts.iter().any(|text| text == Some(flag)))
        };
        row.noticed = NOTICED_ONCE.into_iter().filter(|flag| has(flag)).collect();
        if has(DIALECT_INFERRED) {
            row.event.usage_dialect = None;
        }
    }
    Ok(())
}

/// Rows of before columns said how they are known count as claimed, but for an asserted tenant.
fn attribute(rows: &RecordBatch, stored: &mut [Stored]) -> Result<(), RevisionError> {
    for column in Who::FIELDS {
        for (row, text) in stored.iter_mut().zip(texts(rows, column)?) {
            if let Some(slot) = row.attribution.who.field_mut(column) {
                *slot = text.map(str::to_owned);
            }
        }
    }
    let (claimed, sources) = (maps(rows, "claimed_who")?, maps(rows, "who_sources")?);
    let (allowed, known) = (bools(rows, "claims_allowed")?, texts(rows, "tenant_source")?);
    for (place, row) in stored.iter_mut().enumerate() {
        let attribution = &mut row.attribution;
        attribution.claimed_who = entries(claimed, place);
        attribution.claims_allowed = allowed.is_valid(place) && allowed.value(place);
        let known = known.is_valid(place).then(|| known.value(place));
        attribution.tenant_source = known.and_then(tenant_source).unwrap_or(TenantSource::None);
        let is_known = sources.is_valid(place);
        let sources = entries(sources, place);
        let source_of = |column: &'static str| {
            let named = sources.get(column).and_then(|name| WhoSource::from_name(name));
            Some((column, if is_known { named? } else { assumed(column, known)? }))
        };
        let present = attribution.who.present().map(|(column, _)| column);
        attribution.sources = present.filter_map(source_of).collect();
        row.event.who = attribution.claims();
    }
    Ok(())
}

fn assumed(column: &str, tenant_source: Option<&str>) -> Option<WhoSource> {
    match (column, tenant_source) {
        ("tenant", Some("asserted")) => Some(WhoSource::Credential),
        ("tenant", Some("rule")) => Some(WhoSource::Rule),
        ("tenant", Some("none")) => None,
        _ => Some(WhoSource::Claim),
    }
}

fn tenant_source(name: &str) -> Option<TenantSource> {
    let all =
        [TenantSource::Asserted, TenantSource::Rule, TenantSource::Claimed, TenantSource::None];
    all.into_iter().find(|source| source.name() == name)
}

/// A column of `calls` by name.
///
/// # Errors
/// [`RevisionError::Lake`] when the batch has no such column.
pub(super) fn named<'a>(
    rows: &'a RecordBatch,
    column: &str,
) -> Result<&'a ArrayRef, RevisionError> {
    rows.column_by_name(column).ok_or_else(|| wrong(column))
}

/// A text column.
///
/// # Errors
/// [`RevisionError::Lake`] when the batch has no such column.
pub(super) fn texts<'a>(
    rows: &'a RecordBatch,
    column: &str,
) -> Result<&'a StringArray, RevisionError> {
    named(rows, column)?.as_string_opt::<i32>().ok_or_else(|| wrong(column))
}

/// A column of instants, none of them NULL.
///
/// # Errors
/// [`RevisionError::Lake`] when the batch has no such column.
pub(super) fn instants<'a>(
    rows: &'a RecordBatch,
    column: &str,
) -> Result<impl Iterator<Item = Timestamp> + 'a, RevisionError> {
    let micros = named(rows, column)?.as_primitive_opt::<TimestampMicrosecondType>();
    let micros = micros.ok_or_else(|| wrong(column))?;
    Ok(micros.values().iter().map(|at| Timestamp::from_micros(*at).unwrap_or(Timestamp::EPOCH)))
}

/// The identities of rows.
///
/// # Errors
/// [`RevisionError::Lake`] when the batch has no such column.
pub(super) fn identities(rows: &RecordBatch) -> Result<Vec<[u8; 16]>, RevisionError> {
    let hashes = named(rows, "identity_hash")?.as_binary_opt::<i32>();
    let hashes = hashes.ok_or_else(|| RevisionError::misfit("`identity_hash` is no hash"))?;
    let hash = |hash: Option<&[u8]>| {
        let hash = hash.and_then(|hash| hash.try_into().ok());
        hash.ok_or_else(|| RevisionError::misfit("an `identity_hash` of another length"))
    };
    hashes.iter().map(hash).collect()
}

/// The same rows, with every column allowed to be NULL: rows of several batches are picked from
/// batches of one schema.
///
/// # Errors
/// [`RevisionError::Lake`], never in fact.
pub(super) fn nullable(rows: &RecordBatch) -> Result<RecordBatch, RevisionError> {
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    let columns = names.zip(rows.columns()).map(|(name, column)| (name, column.clone(), true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn bools<'a>(rows: &'a RecordBatch, column: &str) -> Result<&'a BooleanArray, RevisionError> {
    named(rows, column)?.as_boolean_opt().ok_or_else(|| wrong(column))
}

fn maps<'a>(rows: &'a RecordBatch, column: &str) -> Result<&'a MapArray, RevisionError> {
    named(rows, column)?.as_map_opt().ok_or_else(|| wrong(column))
}

fn entries(maps: &MapArray, row: usize) -> BTreeMap<String, String> {
    if !maps.is_valid(row) {
        return BTreeMap::new();
    }
    let entries = maps.value(row);
    let texts = |place: usize| entries.columns().get(place)?.as_string_opt::<i32>();
    let (Some(keys), Some(values)) = (texts(0), texts(1)) else { return BTreeMap::new() };
    let pairs = keys.iter().zip(values.iter());
    pairs.filter_map(|(key, value)| Some((key?.to_owned(), value?.to_owned()))).collect()
}

fn wrong(column: &str) -> RevisionError {
    RevisionError::misfit(format!("rows of `calls` without a usable `{column}`"))
}
