-- For how much of the spend is no team, no feature, no customer named?
-- Columns:
--   who_column: `tenant`, `team` and so on
--   calls: those that nobody is named for in that column
--   share_of_calls: percent
--   cost_usd: what they cost
--   share_of_cost: percent
SELECT who_column, calls,
    CAST(100.0 * calls / nullif(all_calls, 0) AS DECIMAL(7, 4)) AS share_of_calls,
    cost_usd,
    CAST(100.0 * CAST(cost_usd AS DECIMAL(24, 8)) / nullif(CAST(all_usd AS DECIMAL(24, 8)), 0)
        AS DECIMAL(7, 4)) AS share_of_cost
FROM (
    SELECT who_column, place, all_calls, all_usd,
        CASE who_column
            WHEN 'tenant' THEN tenant_calls
            WHEN 'team' THEN team_calls
            WHEN 'product' THEN product_calls
            WHEN 'feature' THEN feature_calls
            WHEN 'environment' THEN environment_calls
            WHEN 'customer' THEN customer_calls
            WHEN 'user_id' THEN user_id_calls
            WHEN 'business_unit' THEN business_unit_calls
        END AS calls,
        CASE who_column
            WHEN 'tenant' THEN tenant_usd
            WHEN 'team' THEN team_usd
            WHEN 'product' THEN product_usd
            WHEN 'feature' THEN feature_usd
            WHEN 'environment' THEN environment_usd
            WHEN 'customer' THEN customer_usd
            WHEN 'user_id' THEN user_id_usd
            WHEN 'business_unit' THEN business_unit_usd
        END AS cost_usd
    FROM (
        SELECT count(*) AS all_calls,
            sum(cost_usd) AS all_usd,
            count(*) FILTER (WHERE tenant = 'unattributed') AS tenant_calls,
            sum(cost_usd) FILTER (WHERE tenant = 'unattributed') AS tenant_usd,
            count(*) FILTER (WHERE team IS NULL) AS team_calls,
            sum(cost_usd) FILTER (WHERE team IS NULL) AS team_usd,
            count(*) FILTER (WHERE product IS NULL) AS product_calls,
            sum(cost_usd) FILTER (WHERE product IS NULL) AS product_usd,
            count(*) FILTER (WHERE feature IS NULL) AS feature_calls,
            sum(cost_usd) FILTER (WHERE feature IS NULL) AS feature_usd,
            count(*) FILTER (WHERE environment IS NULL) AS environment_calls,
            sum(cost_usd) FILTER (WHERE environment IS NULL) AS environment_usd,
            count(*) FILTER (WHERE customer IS NULL) AS customer_calls,
            sum(cost_usd) FILTER (WHERE customer IS NULL) AS customer_usd,
            count(*) FILTER (WHERE user_id IS NULL) AS user_id_calls,
            sum(cost_usd) FILTER (WHERE user_id IS NULL) AS user_id_usd,
            count(*) FILTER (WHERE business_unit IS NULL) AS business_unit_calls,
            sum(cost_usd) FILTER (WHERE business_unit IS NULL) AS business_unit_usd
        FROM calls
    ) AS summed
    CROSS JOIN (
        VALUES ('tenant', 1), ('team', 2), ('product', 3), ('feature', 4),
            ('environment', 5), ('customer', 6), ('user_id', 7), ('business_unit', 8)
    ) AS names (who_column, place)
) AS shared
ORDER BY place
