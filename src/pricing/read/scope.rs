//! What a block inherits from the file, and a variant from its block: source, dates, conditions.

use std::sync::Arc;

use super::fields::Fields;
use crate::pricing::BookError;
use crate::pricing::condition::{Conditions, ContextRange, Test};
use crate::pricing::hours::Hours;
use crate::pricing::row::{Origin, Period, Place, STANDARD};
use crate::pricing::zone::Zone;
use crate::time::Timestamp;

/// Keys that a file, a block and a variant all understand; the inner one wins.
pub(super) const SCOPE_KEYS: &[&str] = &[
    "provider",
    "currency",
    "per",
    "tenant",
    "deployment",
    "effective_from",
    "effective_to",
    "observed",
    "tier",
    "context",
    "hours",
    "when",
    "source_url",
    "source_text",
    "fetched_at",
    "note",
];

/// Of these, the keys that every kind of row understands: whose it is, when, where it was read.
pub(super) const ROW_KEYS: &[&str] = &[
    "tenant",
    "deployment",
    "effective_from",
    "effective_to",
    "observed",
    "source_url",
    "source_text",
    "fetched_at",
    "note",
];

/// The inherited values at one place of a file.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub provider: Option<Arc<str>>,
    pub currency: Arc<str>,
    /// How many tokens an amount is for.
    pub per: u64,
    pub place: Place,
    pub tier: Arc<str>,
    pub conditions: Arc<Conditions>,
    pub origin: Arc<Origin>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    observed: Option<Timestamp>,
}

impl Scope {
    /// The outermost scope of a file.
    pub(super) fn new(place: Place) -> Self {
        Self {
            provider: None,
            currency: "USD".into(),
            per: 1_000_000,
            place,
            tier: STANDARD.into(),
            conditions: Arc::default(),
            origin: Arc::default(),
            from: None,
            to: None,
            observed: None,
        }
    }

    /// The scope inside a table.
    pub(super) fn inside(&self, fields: &Fields<'_, '_>) -> Result<Self, BookError> {
        let mut inner = self.clone();
        inner.place.offset = fields.offset;
        inner.provider = fields.text("provider")?.or(inner.provider);
        inner.currency = fields.text("currency")?.unwrap_or(inner.currency);
        inner.per = fields.count("per")?.unwrap_or(inner.per);
        if inner.per == 0 {
            return Err(fields.file.error(fields.offset, "`per` must be above zero"));
        }
        inner.place.tenant = fields.text("tenant")?.or(inner.place.tenant);
        inner.place.deployment = fields.text("deployment")?.or(inner.place.deployment);
        inner.tier = fields.text("tier")?.unwrap_or(inner.tier);
        inner.read_dates(fields)?;
        inner.read_conditions(fields)?;
        inner.read_origin(fields)?;
        Ok(inner)
    }

    /// The same for another service tier.
    pub(super) fn of_tier(&self, tier: &str) -> Self {
        Self { tier: tier.into(), ..self.clone() }
    }

    /// From when and until when rows of this scope count. Without any date: since ever.
    pub(super) fn period(&self) -> Period {
        match (self.from, self.observed) {
            (Some(from), _) => Period { from, to: self.to, undated: false },
            (None, Some(observed)) => Period { from: observed, to: self.to, undated: true },
            (None, None) => Period { from: Timestamp::EPOCH, to: self.to, undated: false },
        }
    }

    fn read_dates(&mut self, fields: &Fields<'_, '_>) -> Result<(), BookError> {
        if let Some(observed) = fields.time("observed")? {
            (self.observed, self.from) = (Some(observed), None);
        }
        if let Some(from) = fields.time("effective_from")? {
            self.from = Some(from);
        }
        self.to = fields.time("effective_to")?.or(self.to);
        let period = self.period();
        if period.to.is_some_and(|to| to <= period.from) {
            let message = "`effective_to` must be later than `effective_from`";
            return Err(fields.file.error(fields.offset, message));
        }
        Ok(())
    }

    fn read_origin(&mut self, fields: &Fields<'_, '_>) -> Result<(), BookError> {
        if !["source_url", "source_text", "fetched_at", "note"].iter().any(|key| fields.has(key)) {
            return Ok(());
        }
        let outer = Arc::clone(&self.origin);
        self.origin = Arc::new(Origin {
            source_url: fields.text("source_url")?.or_else(|| outer.source_url.clone()),
            source_text: fields.text("source_text")?.or_else(|| outer.source_text.clone()),
            fetched_at: fields.time("fetched_at")?.or(outer.fetched_at),
            note: fields.text("note")?.or_else(|| outer.note.clone()),
        });
        Ok(())
    }

    fn read_conditions(&mut self, fields: &Fields<'_, '_>) -> Result<(), BookError> {
        if !["context", "hours", "when"].iter().any(|key| fields.has(key)) {
            return Ok(());
        }
        let mut conditions = Conditions::clone(&self.conditions);
        if let Some(context) = fields.table("context")? {
            conditions.context = Some(read_context(&context)?);
        }
        if fields.has("hours") {
            let hours = fields.tables("hours")?;
            conditions.hours = hours.iter().map(read_hours).collect::<Result<_, _>>()?;
        }
        if let Some(when) = fields.table("when")? {
            for (name, _, _) in when.entries() {
                let test = when.text(name)?.map(|text| Test::parse(&text));
                conditions.when.retain(|(known, _)| known.as_ref() != name);
                conditions.when.extend(test.map(|test| (name.into(), test)));
            }
            conditions.when.sort();
        }
        self.conditions = Arc::new(conditions);
        Ok(())
    }
}

fn read_context(fields: &Fields<'_, '_>) -> Result<ContextRange, BookError> {
    fields.only(&[&["above", "from", "to"]])?;
    match (fields.count("above")?, fields.count("from")?, fields.count("to")?) {
        (Some(above), None, None) => Ok(ContextRange::Above(above)),
        (None, Some(from), None) => Ok(ContextRange::From(from)),
        (Some(above), None, Some(to)) if above < to => Ok(ContextRange::Range(above, to)),
        _ => {
            let message = "a context is `{ above = 200000 }`, `{ from = 200000 }` or \
                           `{ above = 0, to = 256000 }`";
            Err(fields.file.error(fields.offset, message))
        }
    }
}

fn read_hours(fields: &Fields<'_, '_>) -> Result<Hours, BookError> {
    fields.only(&[&["windows", "weekdays", "zone"]])?;
    let wrong = |message: &str| fields.file.error(fields.offset, message);
    let windows = fields.texts("windows")?.ok_or_else(|| fields.missing("windows"))?;
    let windows = windows.iter().map(|text| Hours::window(text)).collect::<Option<Vec<_>>>();
    let windows = windows.ok_or_else(|| wrong("a window is written `04:00-06:00`"))?;
    let zone = fields.text("zone")?.unwrap_or_else(|| "UTC".into());
    let zone = Zone::parse(&zone).ok_or_else(|| {
        wrong(&format!(
            "`{zone}` is not a time zone: write an IANA name such as `Asia/Shanghai`, `UTC` or an \
             offset such as `+08:00`"
        ))
    })?;
    let weekdays = read_weekdays(fields)?;
    Ok(Hours { zone, weekdays, windows })
}

fn read_weekdays(fields: &Fields<'_, '_>) -> Result<[bool; 7], BookError> {
    let Some(days) = fields.counts("weekdays")? else { return Ok([true; 7]) };
    let mut weekdays = [false; 7];
    for day in days {
        let index = day.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| weekdays.get_mut(index)) {
            Some(on) => *on = true,
            None => {
                let message = "weekdays are numbers from 1, Monday, to 7, Sunday";
                return Err(fields.file.error(fields.offset, message));
            }
        }
    }
    Ok(weekdays)
}
