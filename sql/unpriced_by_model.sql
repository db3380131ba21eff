-- Which models have no price, and how much of the traffic is that?
-- Columns:
--   provider, response_model, calls, tokens
--   share_of_calls, share_of_tokens: percent of all calls and of all tokens. The metrics
--     `tokenmeter_unpriced_calls_total` and `tokenmeter_unpriced_tokens_total` count the same
SELECT provider, response_model, calls, tokens,
    CAST(100.0 * calls / nullif(all_calls, 0) AS DECIMAL(7, 4)) AS share_of_calls,
    CAST(100.0 * tokens / nullif(all_tokens, 0) AS DECIMAL(7, 4)) AS share_of_tokens
FROM (
    SELECT provider, response_model, calls, tokens,
        sum(model_calls) OVER () AS all_calls,
        sum(model_tokens) OVER () AS all_tokens
    FROM (
        SELECT provider,
            response_model,
            count(*) FILTER (WHERE cost_status = 'unpriced') AS calls,
            sum(total_input_tokens + total_output_tokens) FILTER (WHERE cost_status = 'unpriced')
                AS tokens,
            count(*) AS model_calls,
            sum(total_input_tokens + total_output_tokens) AS model_tokens
        FROM calls
        GROUP BY provider, response_model
    ) AS counted
) AS shared
WHERE calls > 0
ORDER BY calls DESC, response_model, provider
