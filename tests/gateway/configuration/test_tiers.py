from gateway.configuration.tiers import default_thresholds, not_rising, thresholds


def test_three_tiers_have_the_references_thresholds_and_others_an_even_split():
    assert default_thresholds([1, 2, 3]) == {1: 30, 2: 70}
    assert default_thresholds([1]) == {}
    assert default_thresholds([1, 2]) == {1: 50}
    assert default_thresholds([1, 2, 3, 4]) == {1: 25, 2: 50, 3: 75}
    assert default_thresholds([]) == {}


def test_the_file_wins_over_what_was_kept_and_that_over_the_default():
    bounds = thresholds([1, 2, 3], {1: 10}, {1: 20, 2: 60, 3: None})

    assert bounds == {1: 10, 2: 60, 3: None}


def test_the_highest_tier_never_has_a_bound():
    assert thresholds([1, 2], {}, {1: 40, 2: 70}) == {1: 40, 2: None}


def test_a_tier_that_could_never_be_chosen_is_told():
    assert not_rising({1: 30, 2: 70, 3: None}) == ""
    assert "tier1_max is 70 and tier2_max is 70" in not_rising({1: 70, 2: 70, 3: None})
