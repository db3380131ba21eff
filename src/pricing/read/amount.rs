//! Published amounts: `"2.50"`, or with their own divisor `"10 / 1000"`.

use crate::money::Decimal;

/// An amount and, when the text states one, what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub amount: Decimal,
    pub per: Option<u64>,
}

impl Amount {
    /// `None` unless the text is a decimal number of zero or more, with a divisor above zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (amount, per) = match text.split_once('/') {
            Some((amount, per)) => (amount.trim(), Some(per.trim().parse().ok()?)),
            None => (text.trim(), None),
        };
        let amount: Decimal = amount.parse().ok()?;
        (!amount.is_negative() && per != Some(0)).then_some(Self { amount, per })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_published_divisor() {
        let amount = Amount::parse("0.006 / 60").expect("an amount");
        assert_eq!((amount.amount.to_string().as_str(), amount.per), ("0.006", Some(60)));
        assert_eq!(Amount::parse("2.50").expect("an amount").per, None);
        for wrong in ["", "-1", "1 / 0", "1 / x", "free"] {
            assert_eq!(Amount::parse(wrong), None, "`{wrong}` must be refused");
        }
    }
}
