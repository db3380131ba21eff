//! Which model's rows price a call: the first hit of a fixed order of steps, and its name.

use std::sync::Arc;

use super::facts::Facts;
use super::index::{Index, Provider};
use super::names;
use super::row::{ANY, AliasRow, Place};
use super::sheet::Sheet;
use super::vendor;
use super::{Config, LayerKind};
use crate::event::{CallEvent, Json};
use crate::usage::Usage;

/// The rows of a model, and how they were found.
#[derive(Debug, Clone)]
pub(super) struct Resolved<'b> {
    pub sheet: &'b Arc<Sheet>,
    pub step: &'static str,
    /// The vendor was told by the model's name alone.
    pub vendor_inferred: bool,
}

/// What a name is resolved for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver<'a> {
    pub index: &'a Index,
    pub config: &'a Config,
    pub event: &'a CallEvent,
    pub usage: &'a Usage,
    pub tenant: Option<&'a str>,
}

impl<'a> Resolver<'a> {
    /// The rows that price the call, if any.
    pub(super) fn resolve(&self) -> Option<Resolved<'a>> {
        let literal = self.event.provider.as_str();
        let canonical = vendor::canonical(literal);
        let respelled = || if canonical == literal { None } else { self.within(canonical) };
        let names_nobody = || vendor::is_dialect(literal) || self.provider(canonical).is_none();
        self.within(literal)
            .or_else(respelled)
            .or_else(|| if names_nobody() { self.vendor() } else { None })
    }

    /// The vendor behind a dialect: as the payload says, as configured, else by the exact name.
    fn vendor(&self) -> Option<Resolved<'a>> {
        let vendors = &self.config.vendors;
        let configured =
            || vendors.get(&self.event.source).or_else(|| vendors.get(&self.event.provider));
        let named = self.stated_vendor().or_else(|| configured().map(String::as_str));
        match named {
            Some(vendor) => self.within(vendor::canonical(vendor)),
            None if vendor::is_dialect(&self.event.provider) => self.inferred(),
            None => None,
        }
    }

    /// The one first-party vendor that has a model of exactly this name.
    fn inferred(&self) -> Option<Resolved<'a>> {
        if !self.config.infer_vendor {
            return None;
        }
        self.models().find_map(|model| {
            let vendor = self.index.vendor_of(model).or_else(|| self.own_vendor(model))?;
            let sheet = self.sheet(self.provider(vendor)?, model)?;
            let step = if model == self.event.model { "exact" } else { "requested" };
            Some(Resolved { sheet, step, vendor_inferred: true })
        })
    }

    /// The one first-party vendor that has it for the call's own tenant alone.
    fn own_vendor(&self, model: &str) -> Option<&'static str> {
        let has = |vendor: &&&str| self.provider(vendor).is_some_and(|it| self.has(it, model));
        let mut vendors = vendor::FIRST_PARTY.iter().filter(has);
        let first = vendors.next()?;
        vendors.next().is_none().then_some(*first)
    }

    fn has(&self, provider: &'a Provider, model: &str) -> bool {
        self.sheet(provider, model).is_some()
    }

    /// A provider, as far as the call's tenant knows of it.
    fn provider(&self, name: &str) -> Option<&'a Provider> {
        let provider = self.index.provider(name)?;
        provider.is_known(|place| self.is_my_place(place)).then_some(provider)
    }

    /// The rows of a model by its exact name, where one that names it is for the call.
    fn sheet(&self, provider: &'a Provider, model: &str) -> Option<&'a Arc<Sheet>> {
        provider.exact(model).filter(|sheet| sheet.is_known(|place| self.is_my_place(place)))
    }

    fn prefixed(&self, provider: &'a Provider, model: &str) -> Option<&'a Arc<Sheet>> {
        let is_mine = |place: &Place| self.is_my_place(place);
        let counts = |sheet: &Sheet| sheet.is_known(is_mine) && sheet.prices_tokens_for(is_mine);
        provider.prefixed(model, counts)
    }

    /// Whether a row is for the call's tenant and deployment.
    fn is_my_place(&self, place: &Place) -> bool {
        let mine = |theirs: &Option<Arc<str>>, ours: Option<&str>| {
            theirs.as_deref().is_none_or(|theirs| Some(theirs) == ours)
        };
        mine(&place.tenant, self.tenant)
            && mine(&place.deployment, self.event.deployment.as_deref())
    }

    fn stated_vendor(&self) -> Option<&'a str> {
        const ATTRIBUTES: [&str; 3] =
            ["custom_llm_provider", "gen_ai.provider.name", "gen_ai.system"];
        ATTRIBUTES.into_iter().find_map(|name| {
            let fact = self.usage.facts.get(name).map(String::as_str);
            let raw = || self.event.usage.as_ref()?.field(name)?.as_text();
            fact.or_else(|| self.event.fact(name).and_then(Json::as_text)).or_else(raw)
        })
    }

    /// The names of the model: as answered, as asked for.
    fn models(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        [Some(self.event.model.as_str()), self.event.request_model.as_deref()].into_iter().flatten()
    }

    fn within(&self, name: &str) -> Option<Resolved<'a>> {
        let provider = self.provider(name)?;
        let own = self.aliased(provider, Terms::Own);
        own.or_else(|| self.base_model(name, provider)).or_else(|| {
            let hit = |sheet, step| Resolved { sheet, step, vendor_inferred: false };
            let zone = self.data_zone(name);
            if zone.is_none() {
                let exact = self.sheet(provider, &self.event.model);
                let exact = exact.map(|sheet| hit(sheet, "exact"));
                if exact.is_some() {
                    return exact;
                }
            }
            self.by_form(name, provider, zone).or_else(|| self.elsewhere(provider))
        })
    }

    /// Another provider's price, only where a row says that it holds for all models: in the order
    /// of the rows, one step and no further.
    fn elsewhere(&self, provider: &'a Provider) -> Option<Resolved<'a>> {
        let at = self.event.occurred_at;
        let counts = |alias: &&AliasRow| {
            self.is_mine(alias) && (alias.period.contains(at) || alias.period.is_assumed(at))
        };
        provider.aliases(ANY).iter().filter(counts).find_map(|alias| {
            let target = self.provider(&alias.to_provider)?;
            let found = self.by_form(&alias.to_provider, target, None)?;
            Some(Resolved { step: "other_provider", ..found })
        })
    }

    /// Whether an alias is for the call's tenant, deployment and facts.
    fn is_mine(&self, alias: &AliasRow) -> bool {
        let facts = Facts { event: self.event, usage: self.usage };
        self.is_my_place(&alias.place) && facts.satisfy(&alias.conditions.when)
    }

    /// Everything after the exact response model, in order of the steps.
    fn by_form(
        &self,
        name: &str,
        provider: &'a Provider,
        zone: Option<&str>,
    ) -> Option<Resolved<'a>> {
        let hit = |sheet, step| Resolved { sheet, step, vendor_inferred: false };
        let zoned = zone.and_then(|zone| {
            self.models().find_map(|model| self.sheet(provider, &format!("{zone}/{model}")))
        });
        if let Some(sheet) = zoned {
            return Some(hit(sheet, "data_zone"));
        }
        for (index, model) in self.models().enumerate() {
            let step = if index == 0 { "exact" } else { "requested" };
            if let Some(sheet) = self.sheet(provider, model) {
                return Some(hit(sheet, step));
            }
        }
        let formed = self.models().find_map(|model| {
            names::forms(name, model, zone).into_iter().find_map(|(step, form)| {
                let sheet = self.sheet(provider, &form).or_else(|| {
                    let alias = self.alias(provider.aliases(&form), |_| true)?;
                    self.target(alias)
                })?;
                Some(hit(sheet, step))
            })
        });
        let prefixed = || self.models().find_map(|model| self.prefixed(provider, model));
        let listed = || self.aliased(provider, Terms::List);
        formed.or_else(listed).or_else(|| Some(hit(prefixed()?, "prefix")))
    }

    /// Azure's data zones have prices of their own, under `eu/gpt-5` and `us/gpt-5`.
    fn data_zone(&self, provider: &str) -> Option<&'a str> {
        let scope = self.event.fact("deployment_scope").and_then(Json::as_text)?;
        (provider.starts_with("azure") && scope != "global").then_some(scope)
    }

    /// What runs behind a deployment, as the sender says.
    fn base_model(&self, name: &str, provider: &'a Provider) -> Option<Resolved<'a>> {
        let base = self.event.fact("base_model")?.as_text()?;
        let forms = names::forms(name, base, None);
        let short = forms.iter().filter(|(step, _)| *step == "provider_prefix");
        let mut names = std::iter::once(base).chain(short.map(|(_, form)| form.as_str()));
        let sheet = names.find_map(|name| self.sheet(provider, name))?;
        Some(Resolved { sheet, step: "base_model", vendor_inferred: false })
    }

    /// What stands for the deployment's or the model's name: first the account's, the tenant's and
    /// the deployment's own names; everybody's (`-latest`, a reseller's) only after the exact ones.
    fn aliased(&self, provider: &'a Provider, terms: Terms) -> Option<Resolved<'a>> {
        if !provider.has_aliases() {
            return None;
        }
        let names = [self.event.deployment.as_deref()].into_iter().flatten().chain(self.models());
        names.into_iter().find_map(|name| {
            let alias = self.alias(provider.aliases(name), |alias| Terms::of(alias) == terms)?;
            let step = match terms {
                _ if alias.provider != alias.to_provider => "other_provider",
                Terms::Own => "alias",
                Terms::List => "latest",
            };
            Some(Resolved { sheet: self.target(alias)?, step, vendor_inferred: false })
        })
    }

    fn target(&self, alias: &AliasRow) -> Option<&'a Arc<Sheet>> {
        self.sheet(self.provider(&alias.to_provider)?, &alias.canonical)
    }

    /// Of the aliases that count, the most closely scoped, then the latest.
    fn alias<'r>(
        &self,
        aliases: &'r [AliasRow],
        wanted: impl Fn(&AliasRow) -> bool,
    ) -> Option<&'r AliasRow> {
        let at = self.event.occurred_at;
        let counts =
            |alias: &&AliasRow| wanted(alias) && self.is_mine(alias) && alias.period.contains(at);
        aliases.iter().filter(counts).max_by_key(|alias| {
            let AliasRow { place, conditions, period, .. } = alias;
            let scopes = [place.tenant.is_some(), place.deployment.is_some()];
            let scopes = scopes.into_iter().filter(|scoped| *scoped).count();
            (scopes + conditions.when.len(), place.kind, period.from, place.layer)
        })
    }
}

/// Whose name an alias is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Terms {
    /// An account's, a tenant's or a deployment's.
    Own,
    /// Everybody's.
    List,
}

impl Terms {
    fn of(alias: &AliasRow) -> Self {
        let AliasRow { place, conditions, .. } = alias;
        let scoped = place.tenant.is_some() || place.deployment.is_some();
        let own = scoped || place.kind != LayerKind::List || !conditions.when.is_empty();
        if own { Self::Own } else { Self::List }
    }
}
