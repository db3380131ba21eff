-- What does each business unit cost, and which of its teams?
-- Columns:
--   business_unit, team, cost_center, calls, cost_usd
SELECT coalesce(business_unit, 'unattributed') AS business_unit,
    coalesce(team, 'unattributed') AS team,
    coalesce(cost_center, 'unattributed') AS cost_center,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1, 2, 3
ORDER BY business_unit, cost_usd DESC NULLS LAST, team, cost_center
