-- Which models have no price, and how much of the traffic is that?
-- Columns:
--   provider, response_model, calls, tokens
--   share_of_calls, share_of_tokens: percent of all calls and of all tokens. The metrics
--     `tokenmeter_unpriced_calls_total` and `tokenmeter_unpriced_tokens_total` count the same
SELECT provider,
    response_model,
    count(*) AS calls,
    sum(total_input_tokens + total_output_tokens) AS tokens,
    CAST(100 * count(*) AS DECIMAL(38, 4))
        / (SELECT nullif(count(*), 0) FROM calls) AS share_of_calls,
    CAST(100 * sum(total_input_tokens + total_output_tokens) AS DECIMAL(38, 4))
        / (SELECT nullif(sum(total_input_tokens + total_output_tokens), 0) FROM calls)
        AS share_of_tokens
FROM calls
WHERE cost_status = 'unpriced'
GROUP BY 1, 2
ORDER BY calls DESC, response_model, provider
