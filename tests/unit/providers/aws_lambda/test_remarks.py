from preheat_providers.aws_lambda.remarks import push_remark


def test_who_reads_a_plan_is_told_how_much_of_the_image_is_sent() -> None:
    assert push_remark(412_345_678, 0) == "The image has 412.3 MB packed, all of which is in ECR."
    told = "The image has 412.3 MB packed; ECR lacks 6,543 bytes of it, which a deploy sends."
    assert push_remark(412_345_678, 6_543) == told
