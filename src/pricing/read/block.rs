//! A `[[model]]` block becomes price rows and multipliers.

use std::sync::Arc;

use super::amount::Amount;
use super::fields::{Fields, number_text};
use super::file::Book;
use super::scope::{SCOPE_KEYS, Scope};
use crate::pricing::BookError;
use crate::pricing::fraction::Fraction;
use crate::pricing::row::{Item, MultiplierRow, Pattern, Price, PriceRow};

const MODEL_KEYS: &[&str] = &["name", "names", "prefix", "multipliers", "variant"];
const RATE_KEYS: &[&str] = &["rates", "factors", "tiers", "corrects", "float_residue"];
const MULTIPLIER_KEYS: &[&str] = &["name", "factor"];

/// Reads one `[[model]]` block.
pub(super) fn read_model(
    fields: &Fields<'_, '_>,
    outer: &Scope,
    book: &mut Book,
) -> Result<(), BookError> {
    fields.only(&[MODEL_KEYS, RATE_KEYS, SCOPE_KEYS])?;
    let scope = outer.inside(fields)?;
    provider_of(fields, &scope)?;
    let patterns = read_patterns(fields)?;
    read_rates(fields, &scope, &patterns, book)?;
    for variant in fields.tables("variant")? {
        variant.only(&[RATE_KEYS, SCOPE_KEYS])?;
        read_rates(&variant, &scope.inside(&variant)?, &patterns, book)?;
    }
    for multiplier in fields.tables("multipliers")? {
        read_multiplier(&multiplier, &scope, &patterns, book)?;
    }
    Ok(())
}

fn read_patterns(fields: &Fields<'_, '_>) -> Result<Vec<Pattern>, BookError> {
    let mut patterns = Vec::new();
    patterns.extend(fields.text("name")?.map(Pattern::Exact));
    patterns.extend(fields.texts("names")?.into_iter().flatten().map(Pattern::Exact));
    patterns.extend(fields.text("prefix")?.map(Pattern::Prefix));
    if patterns.is_empty() {
        return Err(fields.missing("name"));
    }
    Ok(patterns)
}

fn provider_of(fields: &Fields<'_, '_>, scope: &Scope) -> Result<Arc<str>, BookError> {
    scope.provider.clone().ok_or_else(|| fields.missing("provider"))
}

/// `rates`, `factors` and `tiers` of a block or a variant.
fn read_rates(
    fields: &Fields<'_, '_>,
    scope: &Scope,
    patterns: &[Pattern],
    book: &mut Book,
) -> Result<(), BookError> {
    if let Some(rates) = fields.table("rates")? {
        let extra = Extra::read(fields)?;
        read_prices(&rates, scope, &extra, &mut |row| book.add(row, patterns))?;
    }
    if let Some(factors) = fields.table("factors")? {
        for (name, _, _) in factors.entries() {
            let factor = factors.decimal(name)?.unwrap_or_default();
            let row = Row { name, price: Price::Factor(factor), extra: &Extra::default() };
            book.add(row.build(&factors, scope)?, patterns);
        }
    }
    if let Some(tiers) = fields.table("tiers")? {
        for (tier, _, _) in tiers.entries() {
            let Some(rates) = tiers.table(tier)? else { continue };
            let scope = scope.of_tier(tier);
            read_prices(&rates, &scope, &Extra::default(), &mut |row| book.add(row, patterns))?;
        }
    }
    Ok(())
}

/// What a block says about single rates: which published amount they correct, which are rounded.
#[derive(Debug, Default)]
struct Extra {
    corrects: Vec<(Arc<str>, Amount)>,
    float_residue: Vec<Arc<str>>,
}

impl Extra {
    fn read(fields: &Fields<'_, '_>) -> Result<Self, BookError> {
        let mut corrects = Vec::new();
        if let Some(table) = fields.table("corrects")? {
            for (name, _, value) in table.entries() {
                corrects.push((name.into(), read_amount(&table, name, value)?));
            }
        }
        let float_residue = fields.texts("float_residue")?.unwrap_or_default();
        Ok(Self { corrects, float_residue })
    }
}

fn read_prices(
    rates: &Fields<'_, '_>,
    scope: &Scope,
    extra: &Extra,
    add: &mut dyn FnMut(PriceRow),
) -> Result<(), BookError> {
    for (name, _, value) in rates.entries() {
        let amount = read_amount(rates, name, value)?;
        let per = per_of(name, amount, scope);
        let price =
            Price::Literal { amount: amount.amount, per, currency: Arc::clone(&scope.currency) };
        add(Row { name, price, extra }.build(rates, scope)?);
    }
    Ok(())
}

fn read_amount(
    fields: &Fields<'_, '_>,
    name: &str,
    value: &toml::Spanned<toml::de::DeValue<'_>>,
) -> Result<Amount, BookError> {
    let amount = number_text(value.get_ref()).and_then(Amount::parse);
    let expected = "an amount such as `\"2.50\"` or `\"10 / 1000\"`";
    amount.ok_or_else(|| {
        fields.file.error(value.span().start, format!("`{name}` must be {expected}"))
    })
}

/// Tokens are priced by the scope's `per`, everything else by the piece.
fn per_of(name: &str, amount: Amount, scope: &Scope) -> u64 {
    let default = match Item::from_name(name) {
        Item::Token(_) => scope.per,
        Item::Unit(_) => 1,
    };
    amount.per.unwrap_or(default)
}

struct Row<'a> {
    name: &'a str,
    price: Price,
    extra: &'a Extra,
}

impl Row<'_> {
    /// The row, its pattern still open.
    fn build(self, fields: &Fields<'_, '_>, scope: &Scope) -> Result<PriceRow, BookError> {
        let too_long =
            || fields.file.error(fields.offset, format!("`{}` has too many digits", self.name));
        let rate = match &self.price {
            Price::Literal { amount, per, .. } => Fraction::pico(*amount, *per),
            Price::Factor(factor) => Fraction::of(*factor, 1),
        };
        let corrected = self.extra.corrects.iter().find(|(name, _)| name.as_ref() == self.name);
        let corrects = corrected.map(|(_, amount)| {
            Fraction::pico(amount.amount, per_of(self.name, *amount, scope)).ok_or_else(too_long)
        });
        Ok(PriceRow {
            place: scope.place.clone(),
            provider: provider_of(fields, scope)?,
            pattern: Pattern::Prefix("".into()),
            item: Item::from_name(self.name),
            tier: Arc::clone(&scope.tier),
            conditions: Arc::clone(&scope.conditions),
            rate: rate.ok_or_else(too_long)?,
            period: scope.period(),
            corrects: corrects.transpose()?,
            float_residue: self.extra.float_residue.iter().any(|name| name.as_ref() == self.name),
            origin: Arc::clone(&scope.origin),
            price: self.price,
        })
    }
}

fn read_multiplier(
    fields: &Fields<'_, '_>,
    outer: &Scope,
    patterns: &[Pattern],
    book: &mut Book,
) -> Result<(), BookError> {
    fields.only(&[MULTIPLIER_KEYS, SCOPE_KEYS])?;
    let scope = outer.inside(fields)?;
    if scope.conditions.context.is_some() {
        let message = "a multiplier counts for every prompt: state `context` in a variant";
        return Err(fields.file.error(fields.offset, message));
    }
    let factor = fields.decimal("factor")?.ok_or_else(|| fields.missing("factor"))?;
    let too_long = || fields.file.error(fields.offset, "`factor` has too many digits");
    let row = MultiplierRow {
        place: scope.place.clone(),
        provider: provider_of(fields, &scope)?,
        pattern: Pattern::Prefix("".into()),
        name: fields.text("name")?.ok_or_else(|| fields.missing("name"))?,
        conditions: Arc::clone(&scope.conditions),
        factor,
        rate: Fraction::of(factor, 1).ok_or_else(too_long)?,
        period: scope.period(),
        origin: Arc::clone(&scope.origin),
    };
    let rows =
        patterns.iter().map(|pattern| MultiplierRow { pattern: pattern.clone(), ..row.clone() });
    book.multipliers.extend(rows);
    Ok(())
}
