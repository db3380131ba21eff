-- Which team spends how much on which model?
-- Columns:
--   team, model, calls, cost_usd
SELECT coalesce(team, 'unattributed') AS team,
    coalesce(priced_model, response_model) AS model,
    count(*) AS calls,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1, 2
ORDER BY team, cost_usd DESC NULLS LAST, model
