"""The intents that a new gateway knows: slug, description, words, cues, bias."""

INTENTS: tuple[tuple[str, str, str, str, float], ...] = (
    (
        "code",
        "Writing, reading and mending programs",
        "python, function, code, java, javascript, sql, script, bug, compile, "
        "algorithm, class, implement, regex, api, html, css, unit test, refactor, "
        "program, returns, list of, def, array, loop",
        "code words 1, code fences 1",
        0.0,
    ),
    (
        "math-reasoning",
        "Reckoning, proofs and puzzles",
        "solve, prove, equation, integral, derivative, probability, how many, how "
        "much, calculate, compute, number of, total, percent, sum, triangle, theorem, "
        "clue, clues, each, step by, therefore, remainder, dollars, cost, hours, "
        "miles, average",
        "mathematics 0.3, quantities 0.3, operators 0.1",
        0.0,
    ),
    (
        "extraction",
        "Facts out of a text, in a given form",
        "extract, classify, label, categorize, entities, keywords, sentiment, parse, "
        "convert, json, csv, table, fill in, identify, named entity",
        "JSON 2",
        0.0,
    ),
    (
        "summary",
        "Making a text shorter",
        "summarize, summarise, summary, tl, tldr, shorten, condense, key points, main "
        "points, abstract, brief",
        "",
        0.0,
    ),
    (
        "translation",
        "From one language into another",
        "translate, translation, english, french, german, spanish, chinese, japanese, "
        "italian, portuguese, russian, korean, into english, übersetze, traduire",
        "",
        0.0,
    ),
    (
        "creative",
        "Stories, poems, slogans",
        "story, poem, essay, lyrics, song, haiku, blog, slogan, novel, character, "
        "write a, imagine, joke, dialogue, screenplay, rhyme",
        "",
        0.0,
    ),
    (
        "factual",
        "Questions about the world",
        "who, what is, when, where, which, capital, year, born, invented, president, "
        "country, city, true, false, correct answer, following, answer choices, "
        "define, definition",
        "option labels 0.5, choosing 0.2",
        0.0,
    ),
    (
        "chat",
        "Talking",
        "hi, hello, hey, thanks, thank you, how are, please, good morning, you think, "
        "feel, opinion, advice",
        "addressing 0.2",
        0.0,
    ),
    (
        "agent-tools",
        "Working with tools",
        "tool, tools, call, browse, search for, api call, execute, agent, plan, "
        "workflow, file, directory, command, terminal",
        "tools 3",
        0.0,
    ),
    ("other", "What is none of the others", "", "", 0.8),
)
