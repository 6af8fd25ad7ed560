// SPDX-License-Identifier: Apache-2.0
// The texts that BuildKit writes into an image's history, one instruction at a time.
#include "tests/frontend/fake_resolver.h"

#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

struct Row {
  const char* instruction;
  const char* created_by;
  bool empty_layer;
};
class HistoryText : public testing::TestWithParam<Row> {};

TEST_P(HistoryText, IsBuildKits) {
  const auto& [instruction, created_by, empty_layer] = GetParam();
  const auto out = testing_support::build(std::string("FROM alpine\n") + instruction + "\n");
  ASSERT_TRUE(out) << out.error().message();
  const oci::History& entry = out->targets[0].config.history.back();
  EXPECT_EQ(created_by, entry.created_by);
  EXPECT_EQ(empty_layer, entry.empty_layer);
  EXPECT_EQ("buildkit.dockerfile.v0", entry.comment);
  EXPECT_FALSE(entry.created);
}

INSTANTIATE_TEST_SUITE_P(
    Table, HistoryText,
    testing::Values(
        Row{"RUN echo  a \\\n  b", "RUN /bin/sh -c echo  a   b # buildkit", false},
        Row{"RUN [\"a\", \"b c\"]", "RUN a b c # buildkit", false},
        Row{"RUN --network=none x", "RUN /bin/sh -c x # buildkit", false},
        Row{"RUN <<E\na\nb\nE", "RUN /bin/sh -c a\nb\n # buildkit", false},
        Row{"COPY a b/ c/", "COPY a b/ c/ # buildkit", false},
        Row{"COPY --from=busybox --link a b", "COPY a b # buildkit", false},
        Row{"ADD --chown=1:2 --chmod=700 a b", "ADD --chown=1:2 --chmod=700 a b # buildkit", false},
        Row{"ADD --checksum=0abc --keep-git-dir https://h.org/a.git#v1 /b",
            "ADD https://h.org/a.git#v1 /b # buildkit", false},
        Row{"ADD --unpack https://me:x@h.org/a?b=c /b",
            "ADD https://me:x@h.org/a?b=c /b # buildkit", false},
        Row{"COPY --parents a b", "COPY --parents a b # buildkit", false},
        Row{"WORKDIR /x", "WORKDIR /x", false}, Row{"WORKDIR x/y/", "WORKDIR /x/y", false},
        Row{"WORKDIR /x/", "WORKDIR /x/", false}, Row{"WORKDIR /", "WORKDIR /", true},
        Row{"ENV a=\"b c\" d=e", "ENV a=b c d=e", true}, Row{"ENV a b  c", "ENV a=b  c", true},
        Row{"LABEL a='x y'", "LABEL a=x y", true}, Row{"ARG A", "ARG A", true},
        Row{"ARG A=1 B", "ARG A=1 B", true},
        Row{"CMD a b", "CMD [\"/bin/sh\" \"-c\" \"a b\"]", true},
        Row{"CMD [\"a\\\"\"]", "CMD [\"a\\\"\"]", true}, Row{"CMD []", "CMD []", true},
        Row{"ENTRYPOINT [\"e\"]", "ENTRYPOINT [\"e\"]", true},
        Row{"ENTRYPOINT []", "ENTRYPOINT []", true},
        Row{"EXPOSE 80 443/tcp", "EXPOSE [443/tcp 80/tcp]", true},
        Row{"EXPOSE 1-3/udp", "EXPOSE [1/udp 2/udp 3/udp]", true},
        Row{"VOLUME /a /b", "VOLUME [/a /b]", true}, Row{"USER me", "USER me", true},
        Row{"STOPSIGNAL 9", "STOPSIGNAL 9", true},
        Row{"SHELL [\"/bin/bash\", \"-c\"]", "SHELL [/bin/bash -c]", true},
        Row{"MAINTAINER a <b>", "MAINTAINER a <b>", true},
        Row{"HEALTHCHECK --interval=90s CMD [\"x\", \"y\"]",
            R"(HEALTHCHECK &{["CMD" "x" "y"] "1m30s" "0s" "0s" "0s" '\x00'})", true}));

TEST(History, OnbuildLeavesNoEntry) {
  const auto out = testing_support::build("FROM alpine\nONBUILD RUN x\n");
  ASSERT_TRUE(out);
  EXPECT_EQ(1U, out->targets[0].config.history.size());
  EXPECT_EQ(std::vector<std::string>{"RUN x"}, out->targets[0].config.on_build);
}

TEST(History, LabelsOfTheCommandLineLeaveNoEntry) {
  FrontendInput input = testing_support::input_of("FROM alpine\nLABEL a=1\n");
  input.labels = {{"a", "2"}, {"b", "3"}};
  testing_support::FakeResolver resolver;
  const auto out = build_dockerfile(input, resolver);
  ASSERT_TRUE(out);
  EXPECT_EQ(2U, out->targets[0].config.history.size());
  EXPECT_EQ("2", out->targets[0].config.labels.at("a"));
}

}  // namespace
}  // namespace mybuild::frontend
