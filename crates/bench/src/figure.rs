//! `Figure`: what was measured, round by round.

use serde::Serialize;

/// One measurement, and the limit measured right before or after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Round {
    pub(crate) value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<f64>,
}

impl Round {
    /// A measurement of something that has no limit to compare it with.
    pub(crate) const fn of(value: f64) -> Self {
        Self { value, limit: None }
    }

    /// A measurement and its limit.
    pub(crate) const fn against(value: f64, limit: f64) -> Self {
        Self { value, limit: Some(limit) }
    }
}

/// All rounds of a figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// The identifier of its [`crate::goals::Goal`].
    pub(crate) id: &'static str,
    pub(crate) rounds: Vec<Round>,
}

impl Figure {
    /// Returns the median of the values.
    pub(crate) fn value(&self) -> Option<f64> {
        median(self.rounds.iter().map(|round| round.value))
    }

    /// Returns the median of the limits.
    pub(crate) fn limit(&self) -> Option<f64> {
        median(self.rounds.iter().filter_map(|round| round.limit))
    }

    /// Returns the median of the ratios of each round. Noise of the machine affects value and limit
    /// of one round alike, so this varies less than the ratio of the medians.
    pub(crate) fn ratio(&self) -> Option<f64> {
        median(self.rounds.iter().filter_map(|round| Some(round.value / round.limit?)))
    }
}

/// Returns the median; of an even number of values, the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get((values.len() / 2).checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_an_outlier() {
        assert_eq!(median([3.0, 900.0, 1.0].into_iter()), Some(3.0));
        assert_eq!(median([4.0, 2.0].into_iter()), Some(3.0));
        assert_eq!(median([].into_iter()), None);
    }

    #[test]
    fn the_ratio_compares_each_round_with_its_own_limit() {
        let rounds = vec![Round::against(50.0, 100.0), Round::against(80.0, 160.0), Round::of(7.0)];
        let figure = Figure { id: "login", rounds };
        assert_eq!(figure.ratio(), Some(0.5));
        assert_eq!(figure.limit(), Some(130.0));
        assert_eq!(figure.value(), Some(50.0));
    }

    #[test]
    fn a_figure_without_a_limit_has_no_ratio() {
        let figure = Figure { id: "size", rounds: vec![Round::of(7.0)] };
        assert_eq!((figure.value(), figure.limit(), figure.ratio()), (Some(7.0), None, None));
    }
}
