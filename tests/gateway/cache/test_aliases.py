from gateway.cache.aliases import CLASS_MEMBERS, Aliases, class_key

ROOT, OTHER, THIRD = b"r" * 32, b"o" * 32, b"t" * 32


def known(roots, refused=()):
    aliases = Aliases()
    return aliases, dict(aliases.replace(roots, refused))


def test_a_question_and_its_wordings_have_one_key_and_others_none():
    aliases, told = known({OTHER: ROOT})
    assert aliases.class_of(OTHER) == aliases.class_of(ROOT) == told[OTHER]
    assert aliases.class_of(THIRD) is None
    assert aliases.class_of(None) is None


def test_a_class_that_gains_or_loses_a_member_has_another_key():
    aliases, _ = known({OTHER: ROOT})
    before = aliases.class_of(ROOT)
    assert dict(aliases.replace({OTHER: ROOT})) == {}
    grown = dict(aliases.replace({OTHER: ROOT, THIRD: ROOT}))
    assert set(grown) == {ROOT, OTHER, THIRD}
    assert before not in grown.values()
    list(aliases.replace({}))
    assert aliases.class_of(ROOT) is None


def test_the_key_of_a_class_does_not_depend_on_who_came_first():
    assert class_key([ROOT, OTHER]) == class_key([OTHER, ROOT])


def test_a_wording_is_only_learned_of_the_question_it_was_compared_with():
    aliases, _ = known({OTHER: ROOT})
    assert aliases.may_learn(THIRD, ROOT)
    assert not aliases.may_learn(THIRD, OTHER)  # a chain
    assert not aliases.may_learn(ROOT, THIRD)  # it has wordings of its own
    assert not aliases.may_learn(THIRD, THIRD)


def test_what_was_refused_is_not_asked_again_either_way_round():
    aliases, _ = known({}, {(OTHER, ROOT)})
    assert not aliases.may_learn(OTHER, ROOT)
    assert not aliases.may_learn(ROOT, OTHER)
    assert aliases.may_learn(THIRD, ROOT)


def test_a_class_is_bounded():
    wordings = {b"%032d" % n: ROOT for n in range(CLASS_MEMBERS)}
    aliases, _ = known(wordings)
    assert not aliases.may_learn(OTHER, ROOT)
