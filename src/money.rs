//! Exact money: decimals as they are published, and US dollars in whole picodollars.
//!
//! In: decimal text. Out: [`Decimal`], [`Usd`]. Never: a float, a silent rounding, a wrap-around.

use std::fmt;
use std::str::FromStr;

/// The most significant digits a [`Decimal`] may carry; `10^38` still fits an `i128`.
const DIGITS_MAX: usize = 38;

/// An exact decimal number: `mantissa / 10^scale`, kept in lowest terms (no trailing zeros).
///
/// Prices stay in it as published, quantities and reported costs as they arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Text that is not a decimal number, or one that is too long to be held exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a decimal number of at most {DIGITS_MAX} digits")]
pub struct DecimalError {
    text: String,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa / 10^scale`, reduced to its shortest form.
    pub const fn new(mut mantissa: i128, mut scale: u32) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// The digits, without the point.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many of the digits stand behind the point.
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// Whether the value is zero.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether the value is below zero.
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The value as a count: `None` when it is negative, fractional or beyond `u64`.
    pub fn to_count(self) -> Option<u64> {
        if self.scale == 0 { u64::try_from(self.mantissa).ok() } else { None }
    }

    /// The mantissa this value has when written with `scale` digits behind the point; `None` when
    /// digits would be lost or the result does not fit.
    pub fn rescaled(self, scale: u32) -> Option<i128> {
        let more = scale.checked_sub(self.scale)?;
        10_i128.checked_pow(more)?.checked_mul(self.mantissa)
    }

    /// The mantissa this value has with `scale` digits behind the point, rounded half to even, and
    /// whether anything was rounded away; `None` when it does not fit.
    pub fn rounded(self, scale: u32) -> Option<(i128, bool)> {
        let Some(fewer) = self.scale.checked_sub(scale).filter(|fewer| *fewer > 0) else {
            return Some((self.rescaled(scale)?, false));
        };
        match 10_i128.checked_pow(fewer) {
            Some(unit) => Some(divided_half_even(self.mantissa, unit)),
            // A mantissa of 38 digits is far below half of such a unit.
            None => Some((0, self.mantissa != 0)),
        }
    }

    /// The largest whole number that is not above the value.
    pub fn floor(self) -> i128 {
        // A divisor beyond `i128` leaves nothing but the sign.
        let nothing = if self.mantissa < 0 { -1 } else { 0 };
        let divisor = 10_i128.checked_pow(self.scale);
        divisor.map_or(nothing, |divisor| self.mantissa.div_euclid(divisor))
    }

    /// The exact sum; `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let sum = self.rescaled(scale)?.checked_add(other.rescaled(scale)?)?;
        Some(Self::new(sum, scale))
    }

    /// The exact product; `None` when it does not fit.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self::new(mantissa, self.scale.checked_add(other.scale)?))
    }
}

impl From<u64> for Decimal {
    fn from(count: u64) -> Self {
        Self { mantissa: i128::from(count), scale: 0 }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let scale = self.scale.max(other.scale);
        match (self.rescaled(scale), other.rescaled(scale)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // Only the one with the smaller scale can outgrow `i128`, so it is the larger in size.
            (None, _) => self.mantissa.cmp(&0),
            (_, None) => 0.cmp(&other.mantissa),
        }
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `-12.50`, `1.5e-07`: sign, digits, point, exponent, as JSON writes numbers.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        parse(text).ok_or_else(|| DecimalError { text: text.chars().take(64).collect() })
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if whole.trim_start_matches('0').len() + fraction.len() > DIGITS_MAX {
        return None;
    }
    let mut mantissa = 0_i128;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = char::from(byte).to_digit(10)?;
        mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    if mantissa == 0 {
        return Some(Decimal::ZERO);
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    if scale < 0 {
        mantissa = 10_i128.checked_pow(scale.unsigned_abs())?.checked_mul(mantissa)?;
    }
    let scale = u32::try_from(scale.max(0)).ok().filter(|scale| *scale <= 1_000)?;
    Some(Decimal::new(if negative { -mantissa } else { mantissa }, scale))
}

impl fmt::Display for Decimal {
    /// Plain notation, no exponent, no trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.mantissa, self.scale)
    }
}

/// The quotient by a positive `unit`, rounded half to even, and whether anything was rounded away.
fn divided_half_even(value: i128, unit: i128) -> (i128, bool) {
    let floor = value.div_euclid(unit);
    let rest = value.rem_euclid(unit);
    let up = match rest.cmp(&(unit - rest)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => floor % 2 != 0,
        std::cmp::Ordering::Less => false,
    };
    (floor + i128::from(up), rest != 0)
}

fn write_decimal(f: &mut fmt::Formatter<'_>, mantissa: i128, scale: u32) -> fmt::Result {
    let digits = mantissa.unsigned_abs().to_string();
    let scale = usize::try_from(scale).map_err(|_| fmt::Error)?;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    match fraction.trim_end_matches('0') {
        "" => f.pad_integral(true, "", &format!("{sign}{whole}")),
        fraction => write!(f, "{sign}{whole}.{fraction}"),
    }
}

/// US dollars in whole picodollars (1e-12 USD): the unit of every stored amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(i128);

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// Digits behind the point.
    pub const SCALE: u32 = 12;
    /// The largest amount that the money columns, Decimal(18,12), hold.
    pub const COLUMN_MAX: Self = Self(999_999_999_999_999_999);

    /// An amount of whole picodollars.
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// The amount in whole picodollars.
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// `numerator / denominator` USD, rounded half to even to the picodollar: the one rounding
    /// rule. The flag says whether anything was rounded away. `None` on a zero or negative
    /// denominator, or when the amount does not fit.
    pub fn from_ratio(numerator: i128, denominator: i128) -> Option<(Self, bool)> {
        let scaled = numerator.checked_mul(10_i128.checked_pow(Self::SCALE)?)?;
        Self::from_pico_ratio(scaled, denominator)
    }

    /// The same for `numerator / denominator` picodollars.
    pub fn from_pico_ratio(numerator: i128, denominator: i128) -> Option<(Self, bool)> {
        // Nearly every sum of prices is whole: dividing 128 bits takes longer than the rest.
        if denominator == 1 {
            return Some((Self(numerator), false));
        }
        if denominator <= 0 {
            return None;
        }
        let (pico, inexact) = divided_half_even(numerator, denominator);
        Some((Self(pico), inexact))
    }

    /// A published or reported amount, rounded by the same rule; `None` when it does not fit.
    pub fn rounded(amount: Decimal) -> Option<(Self, bool)> {
        let (pico, inexact) = amount.rounded(Self::SCALE)?;
        Some((Self(pico), inexact))
    }

    /// The exact sum; `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The exact difference; `None` when it does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whether a Decimal(18,12) column holds this amount.
    pub fn fits_column(self) -> bool {
        self.0.unsigned_abs() <= Self::COLUMN_MAX.0.unsigned_abs()
    }

    /// The amount as a decimal number.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, Self::SCALE)
    }
}

impl fmt::Display for Usd {
    /// Plain notation in USD, no trailing zeros: `0.00135`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, Self::SCALE)
    }
}

impl FromStr for Usd {
    type Err = DecimalError;

    /// Reads an amount in USD; one finer than a picodollar is refused, never rounded.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let decimal: Decimal = text.parse()?;
        let pico = decimal.rescaled(Self::SCALE);
        pico.map(Self).ok_or_else(|| DecimalError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (text, plain) in [
            ("2.6000000000000003e-07", "0.00000026000000000000003"),
            ("1e3", "1000"),
            ("-0.50", "-0.5"),
            ("0.000", "0"),
            ("109.35", "109.35"),
        ] {
            assert_eq!(decimal(text).to_string(), plain);
        }
        for wrong in ["", ".", "1e", "NaN", "1e999999", "0x10", "1_000", &"9".repeat(39)] {
            assert!(wrong.parse::<Decimal>().is_err(), "`{wrong}` must be refused");
        }
    }

    #[test]
    fn decimals_compare_across_scales() {
        assert!(decimal("1e-30") < decimal("1e30"));
        assert!(decimal("-1e30") < decimal("1e-30"));
        assert_eq!(decimal("2.50").cmp(&decimal("2.5")), std::cmp::Ordering::Equal);
    }

    #[test]
    fn rounding_is_half_to_even_at_the_picodollar() {
        let half = |n| Usd::from_ratio(n, 2_000_000_000_000).expect("fits");
        assert_eq!(half(1), (Usd::from_pico(0), true));
        assert_eq!(half(3), (Usd::from_pico(2), true));
        assert_eq!(half(-1), (Usd::from_pico(0), true));
        assert_eq!(half(-3), (Usd::from_pico(-2), true));
        assert_eq!(half(4), (Usd::from_pico(2), false));
        assert_eq!(Usd::from_ratio(1, 0), None);
    }

    #[test]
    fn decimals_round_by_the_same_rule() {
        let rounded = |text| Usd::rounded(decimal(text));
        assert_eq!(rounded("2.6000000000000003e-07"), Some((Usd::from_pico(260_000), true)));
        assert_eq!(rounded("0.00135"), Some((Usd::from_pico(1_350_000_000), false)));
        assert_eq!(rounded("0.0000000000005"), Some((Usd::ZERO, true)));
        assert_eq!(rounded("1e-999"), Some((Usd::ZERO, true)));
        assert_eq!(rounded(&"9".repeat(38)), None);
    }

    #[test]
    fn usd_prints_and_reads_back() {
        for text in ["0", "0.00135", "-12.5", "999999.999999999999"] {
            assert_eq!(text.parse::<Usd>().expect("usd").to_string(), text);
        }
        assert!("0.0000000000001".parse::<Usd>().is_err());
        assert!(!"1000000".parse::<Usd>().expect("usd").fits_column());
    }
}
