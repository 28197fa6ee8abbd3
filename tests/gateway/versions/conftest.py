import copy

import pytest

from gateway.versions import Adaptation, FhirVersion, adapt_resource
from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import DATA, Adapt, Data, read_data


@pytest.fixture(scope="session")
def data() -> Data:
    if not DATA.is_dir():
        pytest.skip("the shared test data is not beside the repository")
    return lambda version: list(read_data(version))


@pytest.fixture
def adapt() -> Adapt:
    """Adapt along a path written `r4>stu3`, and see that the source is left alone."""

    def adapted(resource: JsonObject, path: str) -> Json:
        source, _, target = path.partition(">")
        before = copy.deepcopy(resource)
        result = adapt_resource(resource, Adaptation(FhirVersion(source), FhirVersion(target)))
        assert resource == before
        return result

    return adapted
