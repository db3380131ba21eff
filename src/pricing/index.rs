//! The book's rows by provider and model.

use std::collections::HashMap;
use std::sync::Arc;

use super::LayerKind;
use super::read::Book;
use super::row::{AliasRow, FxRow, MultiplierRow, Pattern, Place, PriceRow};
use super::sheet::Sheet;
use super::vendor::FIRST_PARTY;

/// One provider's models.
#[derive(Debug, Default)]
pub(super) struct Provider {
    exact: HashMap<Arc<str>, Arc<Sheet>>,
    /// Non-empty prefixes, the longest first.
    prefixes: Vec<(Arc<str>, Arc<Sheet>)>,
    aliases: HashMap<Arc<str>, Vec<AliasRow>>,
    /// Whether a row of it is for everybody.
    is_everybodys: bool,
}

impl Provider {
    /// The rows of a model by its exact name.
    pub(super) fn exact(&self, model: &str) -> Option<&Arc<Sheet>> {
        self.exact.get(model)
    }

    /// The rows of a model by the longest prefix that a row has for it, of those that count.
    pub(super) fn prefixed(
        &self,
        model: &str,
        counts: impl Fn(&Sheet) -> bool,
    ) -> Option<&Arc<Sheet>> {
        let mut found = self.prefixes.iter().filter(|(_, sheet)| counts(sheet));
        found.find(|(prefix, _)| model.starts_with(prefix.as_ref())).map(|(_, sheet)| sheet)
    }

    /// Whether those know of the provider whom the rows are for that are mine.
    pub(super) fn is_known(&self, is_mine: impl Fn(&Place) -> bool) -> bool {
        let mut sheets = self.exact.values().chain(self.prefixes.iter().map(|(_, sheet)| sheet));
        let mut aliases = self.aliases.values().flatten();
        self.is_everybodys
            || sheets.any(|sheet| sheet.is_known(&is_mine))
            || aliases.any(|alias| is_mine(&alias.place))
    }

    /// What stands for a name.
    pub(super) fn aliases(&self, name: &str) -> &[AliasRow] {
        self.aliases.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has_aliases(&self) -> bool {
        !self.aliases.is_empty()
    }
}

/// All providers, and the exchange rates.
#[derive(Debug, Default)]
pub(super) struct Index {
    providers: HashMap<Arc<str>, Provider>,
    pub fx: Vec<FxRow>,
    /// Whether an exchange rate is a contract's or an override's.
    pub fx_has_terms: bool,
    pub prices: Vec<Arc<PriceRow>>,
    pub multipliers: Vec<Arc<MultiplierRow>>,
    pub aliases: Vec<AliasRow>,
    /// The one first-party vendor of a model name; `None` where several have it.
    vendors: HashMap<Arc<str>, Option<Arc<str>>>,
}

impl Index {
    pub(super) fn new(books: Vec<Book>) -> Self {
        let mut index = Self::default();
        for book in books {
            index.prices.extend(book.prices.into_iter().map(Arc::new));
            index.multipliers.extend(book.multipliers.into_iter().map(Arc::new));
            index.aliases.extend(book.aliases);
            index.fx.extend(book.fx);
        }
        index.fx_has_terms = index.fx.iter().any(|row| row.place.kind != LayerKind::List);
        index.fill();
        index
    }

    pub(super) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// The one first-party vendor that has a model of exactly this name.
    pub(super) fn vendor_of(&self, model: &str) -> Option<&str> {
        self.vendors.get(model)?.as_deref()
    }

    /// Every sheet with an exact name.
    pub(super) fn sheets(&self) -> impl Iterator<Item = &Arc<Sheet>> {
        self.providers.values().flat_map(|provider| provider.exact.values())
    }

    fn fill(&mut self) {
        let mut building: HashMap<Arc<str>, Building> = HashMap::new();
        for row in &self.prices {
            building.entry(Arc::clone(&row.provider)).or_default().add_price(row);
        }
        for row in &self.multipliers {
            building.entry(Arc::clone(&row.provider)).or_default().add_multiplier(row);
        }
        for (name, building) in building {
            let provider = building.finish(&name);
            if FIRST_PARTY.contains(&name.as_ref()) {
                let everybodys = provider.exact.iter().filter(|(_, sheet)| sheet.is_everybodys());
                for (model, _) in everybodys {
                    let vendor = self.vendors.entry(Arc::clone(model));
                    vendor.and_modify(|known| *known = None).or_insert(Some(Arc::clone(&name)));
                }
            }
            self.providers.insert(name, provider);
        }
        for alias in &self.aliases {
            let provider = self.providers.entry(Arc::clone(&alias.provider)).or_default();
            provider.aliases.entry(Arc::clone(&alias.alias)).or_default().push(alias.clone());
        }
        let everybodys = |place: &Place| place.tenant.is_none() && place.deployment.is_none();
        for provider in self.providers.values_mut() {
            provider.is_everybodys = provider.is_known(everybodys);
        }
    }
}

/// The rows of one exact name.
type Own = (Vec<Arc<PriceRow>>, Vec<Arc<MultiplierRow>>);

/// A provider's rows before those of prefixes are spread over the models that they are for.
#[derive(Default)]
struct Building {
    exact: HashMap<Arc<str>, Own>,
    prices: Vec<Arc<PriceRow>>,
    multipliers: Vec<Arc<MultiplierRow>>,
}

impl Building {
    fn add_price(&mut self, row: &Arc<PriceRow>) {
        match &row.pattern {
            Pattern::Exact(name) => {
                self.exact.entry(Arc::clone(name)).or_default().0.push(Arc::clone(row));
            }
            Pattern::Prefix(_) => self.prices.push(Arc::clone(row)),
        }
    }

    fn add_multiplier(&mut self, row: &Arc<MultiplierRow>) {
        match &row.pattern {
            Pattern::Exact(name) if self.exact.contains_key(name) => {
                self.exact.entry(Arc::clone(name)).or_default().1.push(Arc::clone(row));
            }
            _ => self.multipliers.push(Arc::clone(row)),
        }
    }

    fn finish(self, provider: &Arc<str>) -> Provider {
        let sheet = |model: &Arc<str>, own: &Own| {
            let mut sheet = Sheet::new(Arc::clone(provider), Arc::clone(model));
            let wide = self.prices.iter().filter(|row| row.pattern.matches(model));
            own.0.iter().chain(wide).for_each(|row| sheet.add(row));
            let wide = self.multipliers.iter().filter(|row| row.pattern.matches(model));
            sheet.multipliers = own.1.iter().chain(wide).cloned().collect();
            sheet.finish();
            Arc::new(sheet)
        };
        let exact = self.exact.iter().map(|(model, own)| (Arc::clone(model), sheet(model, own)));
        let mut provider = Provider { exact: exact.collect(), ..Provider::default() };
        let mut prefixes: Vec<Arc<str>> = self.prices.iter().filter_map(non_empty_prefix).collect();
        prefixes.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        prefixes.dedup();
        let none = (Vec::new(), Vec::new());
        let prefixes =
            prefixes.into_iter().map(|prefix| (Arc::clone(&prefix), sheet(&prefix, &none)));
        // Rows that are for many models, such as a tool's fee, do not make a model known.
        provider.prefixes = prefixes.filter(|(_, sheet)| sheet.prices_tokens()).collect();
        provider
    }
}

fn non_empty_prefix(row: &Arc<PriceRow>) -> Option<Arc<str>> {
    match &row.pattern {
        Pattern::Prefix(prefix) if !prefix.is_empty() => Some(Arc::clone(prefix)),
        _ => None,
    }
}
