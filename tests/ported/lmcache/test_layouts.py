"""hpu/layouts: what the names of layouts say, and the descriptions that travel with them."""

from __future__ import annotations


def test_predicates_follow_from_the_names(hpu):
    layouts = hpu("layouts")
    for layout in layouts.EngineKVFormat:
        name = layout.name
        assert layouts.is_cross_layer(layout) == name.startswith("NB_NL_")
        assert layouts.is_kv_list(layout) == name.startswith("TWO_X_NL_X_")
        assert layouts.is_layer_list(layout) == name.startswith("NL_X_")
        assert layouts.is_kv_second_tuple(layout) == (
            "_X_NB_" in name.removeprefix("NL_X_") and name.startswith("NL_X_")
        )
        assert layouts.is_mla(layout) == (not {"TWO", "NH"}.intersection(name.split("_")))


def test_a_description_starts_at_zero_and_takes_a_dtype(hpu):
    layouts = hpu("layouts")
    shape = layouts.PageBufferShapeDesc()
    assert {shape.kv_size, shape.nl, shape.nb, shape.bs, shape.nh, shape.hs} == {0}
    assert (shape.element_size, shape.block_stride_elems) == (0, 0)
    assert getattr(shape, "dtype", None) is None
    shape.dtype = "bfloat16"
    assert shape.dtype == "bfloat16"


def test_a_group_is_given_by_place_and_by_name(hpu):
    layouts = hpu("layouts")
    shape = layouts.PageBufferShapeDesc()
    group = layouts.KernelGroupSpec(1, [2], shape, 256, 16, block_ids_base=3, block_ids_capacity=4)
    assert group.shape_desc is shape
    assert group.engine_kv_format is layouts.EngineKVFormat.NL_X_TWO_X_NB_BS_NH_HS
