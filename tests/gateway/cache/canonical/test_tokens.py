from gateway.cache.canonical.tokens import CODE, GAP, MARK, tokenise


def words(text):
    return tokenise(text).words


def test_numbers_operators_and_words_are_separate_tokens():
    assert words("Is 2+2=1,004.5?") == ["is", "2", "+", "2", "=", "1,004.5", "?"]


def test_a_hyphen_joins_words_and_is_a_minus_between_numbers():
    assert words("a half-eaten apple, 15-9") == [
        *("a", "half", "eaten", "apple", ",", "15", "-", "9")
    ]


def test_a_quotation_is_one_token_kept_as_it_is():
    assert words('Spell "The  Cat"!') == ["spell", f'"The{GAP}{GAP}Cat"', "!"]
    assert words("Spell 'The Cat'") == ["spell", f'"The{GAP}Cat"']


def test_what_follows_a_colon_or_the_first_line_is_material():
    assert tokenise("Translate to French: the  dog.").material == "the  dog."
    assert tokenise("Explain this\n  a\n  b\n").material == "a\n  b"
    assert tokenise("Meet at 10:30").material == ""
    assert tokenise("Does `if x: y` run?").material == ""


def test_a_block_of_code_is_material_wherever_it_stands():
    prompt = tokenise("What does\n```py\nX = 1\n```\nprint? Thanks")
    assert prompt.words == ["what", "does", CODE, "print", "?", "thanks"]
    assert prompt.material == "py\nX = 1"


def test_sentences_on_lines_of_their_own_are_no_material():
    text = "Sum up these notes.\n- Sales grew.\n- Costs fell.\n"
    assert tokenise(text) == tokenise("Sum up these notes. Sales grew. Costs fell.")


def test_an_introduction_or_a_topic_is_followed_by_the_question():
    assert words("Quick question: why?") == ["why", "?"]
    assert words("Which is better: a or b?")[3:] == [",", "a", "or", "b", "?"]
    assert tokenise("Computer Science: What is a hash?").material == ""
    assert tokenise("Translate: what is a hash?").material == "what is a hash?"


def test_whether_material_begins_with_a_capital_says_nothing():
    one, other = "Translate: Hello my friend", "Translate: hello my friend"
    assert tokenise(one) == tokenise(other)
    assert tokenise("Run: X = a").material == "X = a"


def test_words_that_a_capital_makes_another_word_of_are_marked():
    assert words("Where is Turkey?")[2] == f"turkey{MARK}"
    assert words("Call getName")[1] == f"getname{MARK}"
    assert words("What is Discord?")[2] == f"discord{MARK}"
    assert words("WHERE IS TURKEY?")[2] == "turkey"


def test_a_typographic_apostrophe_is_an_apostrophe():
    assert words("What’s up") == ["what's", "up"]
