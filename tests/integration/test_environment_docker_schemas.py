"""The same tests of schemas, connections and accounts, on MySQL in a container."""

from collections.abc import Iterator

import pytest

from loadtests.environment.database import Database, open_database
from loadtests.environment.placement import choose_placement
from loadtests.spec import RunSpec
from tests.integration.test_arm_schemas import (  # noqa: F401
    schema,
    test_a_connection_that_was_dropped_is_opened_again,
    test_a_schema_of_the_same_run_is_made_anew,
    test_a_schema_that_is_not_ours_is_refused_and_left_alone,
    test_an_arms_schema_is_seeded_as_agreed,
    test_an_open_transaction_is_blamed_and_nothing_is_half_put_back,
    test_drift_is_told_in_numbers_and_put_back,
    test_new_rows_that_are_gone_again_still_put_the_key_back,
    test_the_servers_own_counts,
    test_the_table_is_the_agreed_one,
    test_very_many_new_rows_are_put_back_as_well,
)
from tests.integration.test_database_chosen import (  # noqa: F401
    test_a_user_who_may_not_create_is_told_the_grant,
    test_a_wrong_password_is_told_without_it,
    test_on_a_server_that_is_not_ours_only_our_schemas_come_and_go,
)
from tests.integration.test_environment_database import (  # noqa: F401
    test_the_relaxed_profile_is_set_on_a_server_of_ours,
)
from tests.integration.test_environment_docker import skip_without_docker
from tests.integration.test_relay_database import (  # noqa: F401
    test_the_distance_is_measured_where_the_apps_run_and_arms_are_told_the_relay,
)

pytestmark = [pytest.mark.docker, pytest.mark.database]


@pytest.fixture(scope="module")
def private_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with pytest.MonkeyPatch.context() as patch:
        skip_without_docker(patch)
        with open_database(
            RunSpec(database="docker", durability="relaxed"),
            connections_needed=50,
            placement=choose_placement([]),
            log_folder=tmp_path_factory.mktemp("container"),
            say=lambda _: None,
        ) as database:
            yield database
