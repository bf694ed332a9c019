#!/usr/bin/env python3
"""Validates rendered manifests: every document, none passed over.

    manifests.py KUBERNETES-VERSION SCHEMAS TOPICS FILE...

Kubernetes' own kinds are held against its strict schemas, others against SCHEMAS/KIND-GROUP-VERSION.json; a
kind without a schema is an error. Strimzi's are written by us: see the README there. KafkaTopics whose chart was
given no topics of its own have to be those of TOPICS, the file that is compared with the code. Prints one line
per problem and a count.
"""
import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml


class Loader(yaml.SafeLoader):
    """Refuses a key that occurs twice: the second would silently win."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key occurs twice: {', '.join(map(str, twice))}", node.start_mark)
        return super().construct_mapping(node, deep)


def own_schema(schemas, document):
    group, _, version = document["apiVersion"].rpartition("/")
    path = schemas / f"{document['kind'].lower()}-{group}-{version}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def problems(document, kubernetes, schemas):
    schema = own_schema(schemas, document)
    if schema is not None:
        for error in jsonschema.Draft7Validator(schema).iter_errors(document):
            yield f"{error.json_path}: {error.message}"
        return
    try:
        kubernetes_validate.validate(document, kubernetes, strict=True)
    except jsonschema.ValidationError as error:
        yield f"{error.json_path}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        yield f"{error.message}, and {schemas} has none"


def topic_problems(documents, topics):
    """The KafkaTopics of a chart with its own defaults, against the code's."""
    expected = {topic["name"]: (topic["partitions"], topic["config"]) for topic in topics.values()}
    found = {
        document["spec"]["topicName"]: (document["spec"]["partitions"], document["spec"]["config"])
        for document in documents if document["kind"] == "KafkaTopic"
    }
    if found and found != expected:
        yield f"KafkaTopics differ from {sorted(expected.items())}: {sorted(found.items())}"


def main():
    kubernetes, schemas, topics, *files = sys.argv[1:]
    schemas, topics = pathlib.Path(schemas), json.loads(pathlib.Path(topics).read_text(encoding="utf-8"))
    n_documents, wrong = 0, []
    for file in files:
        with open(file, encoding="utf-8") as stream:
            documents = [one for one in yaml.load_all(stream, Loader) if one is not None]
        n_documents += len(documents)
        for document in documents:
            name = f"{file}: {document['kind']} {document['metadata']['name']}"
            wrong += [f"{name}: {problem}" for problem in problems(document, kubernetes, schemas)]
        if "strimzi" in pathlib.Path(file).stem:
            wrong += topic_problems(documents, topics)
    print("\n".join([*wrong, f"{n_documents} documents, {len(wrong)} problems"]))
    return 1 if wrong or n_documents == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
