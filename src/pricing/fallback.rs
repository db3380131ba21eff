//! Which rate stands in where the exact one is missing: by name, in order, never zero.
//!
//! At each step (context tier, service tier) a class tries its own rate, then those of the classes
//! that it is billed like; only then comes the next step.

use super::row::{PriceRow, STANDARD};
use super::select::Query;
use super::sheet::Sheet;
use crate::usage::TokenClass;

use TokenClass as T;

/// Vendors that say that flex is priced as batch.
/// <https://platform.openai.com/docs/guides/flex-processing> and
/// <https://ai.google.dev/gemini-api/docs/pricing>, as metering notes of 2026-11-23 have it.
const FLEX_IS_BATCH: [&str; 4] = ["openai", "azure", "google", "vertex_ai"];

/// The row that was found, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'b> {
    pub row: &'b PriceRow,
    /// The standard row that a factor row multiplies.
    pub base: Option<&'b PriceRow>,
    /// It counts only because nothing dated covers the time.
    pub undated: bool,
    /// The step of the service tier and context chain, when it is not the first.
    pub step: Option<&'static str>,
    /// The class whose rate stands in, when it is not the class's own.
    pub stand_in: Option<TokenClass>,
}

/// The rate of a token class.
pub(super) fn find_class<'b>(
    sheet: &'b Sheet,
    class: TokenClass,
    query: &Query<'_>,
) -> Option<Found<'b>> {
    // Nearly every class has its rate at the first step.
    find_like(sheet, class, query).or_else(|| {
        further_steps(sheet, query).find_map(|(step, query)| {
            let found = find_like(sheet, class, &query)?;
            Some(Found { step: Some(step), ..found })
        })
    })
}

fn find_like<'b>(sheet: &'b Sheet, class: TokenClass, query: &Query<'_>) -> Option<Found<'b>> {
    billed_like(class).iter().find_map(|like| {
        let found = find_at(sheet, *like, query)?;
        Some(Found { stand_in: (*like != class).then_some(*like), ..found })
    })
}

/// The rate of a unit. Units know no context tiers; a tier that has no rate of its own pays the
/// standard one without remark: fees are rarely tiered.
pub(super) fn find_unit<'b>(sheet: &'b Sheet, name: &str, query: &Query<'_>) -> Option<Found<'b>> {
    let rows = sheet.rows_of_unit(name);
    [query.tier, STANDARD].into_iter().find_map(|tier| {
        let (row, undated) = Query { tier, context: None, ..*query }.pick(rows)?;
        Some(Found { row, base: None, undated, step: None, stand_in: None })
    })
}

fn find_at<'b>(sheet: &'b Sheet, class: TokenClass, query: &Query<'_>) -> Option<Found<'b>> {
    let (row, undated) = query.pick(sheet.rows_of_class(class))?;
    let found = Found { row, base: None, undated, step: None, stand_in: None };
    if row.is_literal() {
        return Some(found);
    }
    let standard = Query { tier: STANDARD, ..*query };
    billed_like(class).iter().find_map(|like| {
        let (base, undated_base) = standard.pick(sheet.rows_of_class(*like))?;
        base.is_literal().then_some(Found {
            base: Some(base),
            undated: undated || undated_base,
            ..found
        })
    })
}

type Step<'a> = (&'static str, Query<'a>);

/// Where to look when the tier has no rate in the context tier.
fn further_steps<'a>(sheet: &Sheet, query: &Query<'a>) -> impl Iterator<Item = Step<'a>> + use<'a> {
    let query = *query;
    let special = query.tier != STANDARD;
    let flex_is_batch = query.tier == "flex" && FLEX_IS_BATCH.contains(&sheet.provider.as_ref());
    let long = query.context.is_some();
    [
        flex_is_batch.then_some(("batch", Query { tier: "batch", ..query })),
        special.then_some(("standard", Query { tier: STANDARD, ..query })),
        long.then_some(("base", Query { tier: STANDARD, context: None, ..query })),
    ]
    .into_iter()
    .flatten()
}

/// The classes whose rate a class is billed at, its own first.
pub(super) const fn billed_like(class: TokenClass) -> &'static [TokenClass] {
    match class {
        T::InputText => &[T::InputText],
        T::InputAudio => &[T::InputAudio, T::InputText],
        T::InputImage => &[T::InputImage, T::InputText],
        T::InputVideo => &[T::InputVideo, T::InputText],
        T::InputTool => &[T::InputTool, T::InputText],
        T::CacheReadText => &[T::CacheReadText, T::InputText],
        T::CacheReadAudio => &[T::CacheReadAudio, T::CacheReadText, T::InputAudio, T::InputText],
        T::CacheReadImage => &[T::CacheReadImage, T::CacheReadText, T::InputImage, T::InputText],
        T::CacheReadVideo => &[T::CacheReadVideo, T::CacheReadText, T::InputVideo, T::InputText],
        T::CacheReadTextExplicit => &[T::CacheReadTextExplicit, T::CacheReadText, T::InputText],
        T::CacheWrite5m => &[T::CacheWrite5m, T::CacheWrite, T::InputText],
        T::CacheWrite30m => &[T::CacheWrite30m, T::CacheWrite, T::InputText],
        T::CacheWrite1h => &[T::CacheWrite1h, T::CacheWrite, T::InputText],
        T::CacheWrite12h => &[T::CacheWrite12h, T::CacheWrite, T::InputText],
        T::CacheWrite => &[T::CacheWrite, T::InputText],
        T::OutputText => &[T::OutputText],
        T::OutputReasoning => &[T::OutputReasoning, T::OutputText],
        T::OutputAudio => &[T::OutputAudio, T::OutputText],
        T::OutputImage => &[T::OutputImage, T::OutputText],
        T::OutputVideo => &[T::OutputVideo, T::OutputText],
        T::Citation => &[T::Citation],
    }
}

/// Whether a stand-in is worth a flag: reasoning is output and tool results are text by the
/// providers' own words, and a cache write of the default lifetime is the plain cache write.
pub(super) fn is_remarkable(class: TokenClass, stand_in: TokenClass) -> bool {
    !matches!(
        (class, stand_in),
        (T::OutputReasoning, T::OutputText)
            | (T::InputTool, T::InputText)
            | (T::CacheWrite5m | T::CacheWrite30m, T::CacheWrite)
    )
}
