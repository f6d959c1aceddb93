from gateway.cache.canonical.tokens import tokenise


def test_numbers_operators_and_words_are_separate_tokens():
    assert tokenise("Is 2+2=1,004.5?").tokens == [
        *("Is", "2", "+", "2", "=", "1004.5", "?")
    ]


def test_a_quotation_is_one_token_kept_as_it_is():
    assert tokenise('Spell "The  Cat"!').tokens == ["Spell", '"The  Cat"', "."]


def test_what_follows_a_colon_or_the_first_line_is_payload():
    assert tokenise("Translate to French: the  dog.").payload == "the  dog."
    assert tokenise("Explain this\n  a\n  b\n").payload == "a\n  b"
    assert tokenise("Meet at 10:30").payload == ""


def test_a_mark_that_is_asked_about_is_not_the_end():
    assert tokenise("What is ?").tokens == ["What", "is", "`?`"]
    assert tokenise("What is love ?").tokens == ["What", "is", "love", "?"]


def test_a_typographic_apostrophe_is_an_apostrophe():
    assert tokenise("What’s up").tokens == ["What's", "up"]
