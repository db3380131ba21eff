-- What does each model cost?
-- Columns:
--   provider
--   model: the priced one, else the response's
--   calls, input_tokens, output_tokens, cost_usd
SELECT provider,
    coalesce(priced_model, response_model) AS model,
    count(*) AS calls,
    sum(total_input_tokens) AS input_tokens,
    sum(total_output_tokens) AS output_tokens,
    sum(cost_usd) AS cost_usd
FROM calls
GROUP BY 1, 2
ORDER BY cost_usd DESC NULLS LAST, model, provider
