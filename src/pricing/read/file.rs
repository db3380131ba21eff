//! A book file: its blocks, one after the other.

use std::sync::Arc;

use toml::de::DeTable;

use super::block::read_model;
pub(in crate::pricing) use super::fields::line_of;
use super::fields::{Fields, File};
use super::scope::{ROW_KEYS, SCOPE_KEYS, Scope};
use crate::pricing::fraction::Fraction;
use crate::pricing::row::{ANY, AliasRow, FxRow, MultiplierRow, Pattern, Place, PriceRow};
use crate::pricing::{BookError, Layer, LayerKind};

const FILE_KEYS: &[&str] = &["layer", "model", "alias", "fx"];
const ALIAS_KEYS: &[&str] = &["provider", "alias", "canonical", "to_provider", "when"];
const FX_KEYS: &[&str] = &["currency", "usd_per_unit"];

/// The rows of one file.
#[derive(Debug, Default)]
pub(in crate::pricing) struct Book {
    pub prices: Vec<PriceRow>,
    pub multipliers: Vec<MultiplierRow>,
    pub aliases: Vec<AliasRow>,
    pub fx: Vec<FxRow>,
}

impl Book {
    /// Adds a row for each of the patterns.
    pub(super) fn add(&mut self, row: PriceRow, patterns: &[Pattern]) {
        let rows =
            patterns.iter().map(|pattern| PriceRow { pattern: pattern.clone(), ..row.clone() });
        self.prices.extend(rows);
    }
}

/// Reads the file that stands at place `index` of the layers.
pub(in crate::pricing) fn read(layer: &Layer, index: usize) -> Result<Book, BookError> {
    let file = File { name: &layer.name, text: &layer.text };
    let root = DeTable::parse(&layer.text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        file.error(offset, error.message())
    })?;
    let fields = Fields::new(file, 0, root.get_ref());
    fields.only(&[FILE_KEYS, SCOPE_KEYS])?;
    let kind = read_kind(&fields)?;
    let place = Place { layer: index, kind, tenant: None, deployment: None, offset: 0 };
    let scope = Scope::new(place).inside(&fields)?;
    let mut book = Book::default();
    for block in fields.tables("model")? {
        read_model(&block, &scope, &mut book)?;
    }
    for block in fields.tables("alias")? {
        book.aliases.extend(read_aliases(&block, &scope)?);
    }
    for block in fields.tables("fx")? {
        book.fx.push(read_fx(&block, &scope)?);
    }
    Ok(book)
}

fn read_kind(fields: &Fields<'_, '_>) -> Result<LayerKind, BookError> {
    let Some(name) = fields.text("layer")? else { return Ok(LayerKind::List) };
    let message = "`layer` must be `list`, `contract` or `override`";
    LayerKind::from_name(&name).ok_or_else(|| fields.file.error(fields.offset, message))
}

fn read_aliases(fields: &Fields<'_, '_>, outer: &Scope) -> Result<Vec<AliasRow>, BookError> {
    fields.only(&[ALIAS_KEYS, ROW_KEYS])?;
    let scope = outer.inside(fields)?;
    let provider = scope.provider.clone().ok_or_else(|| fields.missing("provider"))?;
    let aliases = fields.texts("alias")?.ok_or_else(|| fields.missing("alias"))?;
    let to_provider = fields.text("to_provider")?.unwrap_or_else(|| Arc::clone(&provider));
    let elsewhere = aliases.iter().any(|alias| alias.as_ref() == ANY);
    let canonical = match fields.text("canonical")? {
        Some(canonical) => canonical,
        None if elsewhere && provider != to_provider => ANY.into(),
        None => return Err(fields.missing("canonical")),
    };
    let rows = aliases.into_iter().map(|alias| AliasRow {
        place: scope.place.clone(),
        provider: Arc::clone(&provider),
        alias,
        to_provider: Arc::clone(&to_provider),
        canonical: Arc::clone(&canonical),
        conditions: Arc::clone(&scope.conditions),
        period: scope.period(),
        origin: Arc::clone(&scope.origin),
    });
    Ok(rows.collect())
}

fn read_fx(fields: &Fields<'_, '_>, outer: &Scope) -> Result<FxRow, BookError> {
    fields.only(&[FX_KEYS, ROW_KEYS])?;
    let scope = outer.inside(fields)?;
    let usd_per_unit =
        fields.decimal("usd_per_unit")?.ok_or_else(|| fields.missing("usd_per_unit"))?;
    let rate = Fraction::of(usd_per_unit, 1).filter(|rate| !rate.is_zero());
    let message = "`usd_per_unit` must be above zero";
    let rate = rate.ok_or_else(|| fields.file.error(fields.offset, message))?;
    Ok(FxRow {
        place: scope.place.clone(),
        currency: Arc::clone(&scope.currency),
        usd_per_unit,
        rate,
        period: scope.period(),
        origin: Arc::clone(&scope.origin),
    })
}
