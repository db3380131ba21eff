//! Forms of a model's name, from the most literal to the most general. Never a family rule, never a
//! guess: each form is the same model under another spelling, or its undated name.

use super::vendor;

/// A form of a name and the step that led to it.
pub(super) type Form = (&'static str, String);

/// The forms to try after the exact names, in order.
pub(super) fn forms(provider: &str, model: &str, data_zone: Option<&str>) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut name = model;
    if let Some(zone) = data_zone {
        forms.push(("data_zone", format!("{zone}/{model}")));
    }
    while let Some((prefix, rest)) = name.split_once('/') {
        if !vendor::is_prefix_of(provider, prefix) {
            break;
        }
        forms.push(("provider_prefix", rest.to_owned()));
        name = rest;
    }
    match provider {
        "bedrock" => bedrock(&mut name, &mut forms),
        "google" | "vertex_ai" => resource(&mut name, &mut forms),
        _ => {}
    }
    forms.extend(fine_tuned(name).map(|name| ("fine_tuned", name)));
    if let Some((base, _)) = name.split_once('@') {
        forms.push(("version", format!("{base}@default")));
        forms.push(("version", base.to_owned()));
    }
    forms.extend(dates(name));
    forms
}

/// An inference profile's ARN ends in the profile's id; an application profile's id is opaque. A
/// geographic prefix bills as the in-region id does, `global.` does not: it is never stripped.
/// <https://aws.amazon.com/bedrock/pricing/>, as metering notes of 2026-11-23 have it.
fn bedrock(name: &mut &str, forms: &mut Vec<Form>) {
    const GEOGRAPHIES: [&str; 6] = ["us", "eu", "jp", "au", "apac", "us-gov"];
    let readable = [":inference-profile", ":foundation-model"];
    let arn = name.strip_prefix("arn:").and_then(|arn| arn.rsplit_once('/'));
    let readable = |(kind, _): &(&str, &str)| readable.iter().any(|end| kind.ends_with(end));
    if let Some((_, last)) = arn.filter(readable) {
        forms.push(("inference_profile", last.to_owned()));
        *name = last;
    }
    let geography = name.split_once('.').filter(|(prefix, _)| GEOGRAPHIES.contains(prefix));
    if let Some((_, rest)) = geography {
        forms.push(("region_prefix", rest.to_owned()));
        *name = rest;
    }
}

/// Google names a model as a resource too: `models/gemini-2.5-flash`, and on Vertex
/// `publishers/google/models/gemini-2.5-flash`. What a user tuned or uploaded is another model.
/// <https://ai.google.dev/api/generate-content>, as quoted elsewhere on 2026-11-23.
fn resource(name: &mut &str, forms: &mut Vec<Form>) {
    let folders = name.rsplit_once('/').filter(|(folders, _)| {
        *folders == "models" || folders.contains("publishers/") && folders.ends_with("/models")
    });
    if let Some((_, last)) = folders {
        forms.push(("resource_name", last.to_owned()));
        *name = last;
    }
}

/// `ft:gpt-4o-2024-08-06:org:name:id` is priced as `ft:gpt-4o-2024-08-06`, never as its base.
/// <https://platform.openai.com/docs/pricing>
fn fine_tuned(name: &str) -> Option<String> {
    let base = name.strip_prefix("ft:")?.split(':').next()?;
    Some(format!("ft:{base}")).filter(|short| short != name)
}

/// `-20251211` and `-2025-12-11` are one date; then the name without it.
fn dates(name: &str) -> Vec<Form> {
    let (stem, digits) = match name.rfind('-').map(|at| name.split_at(at)) {
        Some((stem, tail)) if is_digits(tail.get(1..).unwrap_or_default(), 8) => {
            (stem, tail.get(1..).unwrap_or_default().to_owned())
        }
        _ => match name.len().checked_sub(11).and_then(|at| name.split_at_checked(at)) {
            Some((stem, tail)) if is_dashed_date(tail) => (stem, tail.replace('-', "")),
            _ => return Vec::new(),
        },
    };
    let (year, rest) = digits.split_at(4);
    let (month, day) = rest.split_at(2);
    let spellings = [format!("{stem}-{year}-{month}-{day}"), format!("{stem}-{digits}")];
    let mut forms: Vec<Form> = spellings
        .into_iter()
        .filter(|form| form != name)
        .map(|form| ("date_spelling", form))
        .collect();
    forms.push(("date_stripped", stem.to_owned()));
    forms
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_dashed_date(tail: &str) -> bool {
    let mut parts = tail.split('-');
    parts.next() == Some("")
        && [4, 2, 2]
            .into_iter()
            .all(|length| parts.next().is_some_and(|part| is_digits(part, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(provider: &str, model: &str, expected: &[(&str, &str)]) {
        let forms = forms(provider, model, None);
        let forms: Vec<(&str, &str)> =
            forms.iter().map(|(step, name)| (*step, name.as_str())).collect();
        assert_eq!(forms, expected, "{provider} {model}");
    }

    #[test]
    fn names_are_only_respelled() {
        check(
            "openai",
            "openai/openai/x",
            &[("provider_prefix", "openai/x"), ("provider_prefix", "x")],
        );
        check("groq", "openai/gpt-oss-120b", &[]);
        check(
            "openai",
            "gpt-5.2-20251211",
            &[("date_spelling", "gpt-5.2-2025-12-11"), ("date_stripped", "gpt-5.2")],
        );
        check(
            "openai",
            "gpt-4o-2024-08-06",
            &[("date_spelling", "gpt-4o-20240806"), ("date_stripped", "gpt-4o")],
        );
        check(
            "openai",
            "ft:gpt-4o-2024-08-06:acme::AbC",
            &[("fine_tuned", "ft:gpt-4o-2024-08-06")],
        );
        check("google", "models/gemini-x", &[("resource_name", "gemini-x")]);
        let publisher = "projects/p/locations/l/publishers/google/models/gemini-x";
        check("vertex_ai", publisher, &[("resource_name", "gemini-x")]);
        check("google", "tunedModels/mine", &[]);
        check("vertex_ai", "projects/p/locations/l/models/mine", &[]);
        check("vertex_ai", "m@20250929", &[("version", "m@default"), ("version", "m")]);
        check("openai", "é-20251211x", &[]);
    }

    #[test]
    fn bedrock_profiles_lose_geography_but_never_global() {
        let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.a.b-v1:0";
        check(
            "bedrock",
            arn,
            &[("inference_profile", "us.a.b-v1:0"), ("region_prefix", "a.b-v1:0")],
        );
        check("bedrock", "global.a.b-v1:0", &[]);
        check("bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/x1", &[]);
    }
}
