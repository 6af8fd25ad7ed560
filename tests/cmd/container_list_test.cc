// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using run::Container;
using run::ContainerStatus;
using testing::HasSubstr;
using namespace std::chrono_literals;

const Time kNow(1'000'000s);

Container container(const std::string& name, ContainerStatus status, int exit_code = 0) {
  Container made;
  made.record.id = std::string(64, name[0]);
  made.record.name = name;
  made.record.image = "app:1";
  made.record.image_id = Digest::of("app");
  made.record.created = kNow - 300s;
  made.record.layers = {Digest::of("base"), Digest::of(name)};
  made.record.plan.argv = {"sh", "-c", "echo long line; exit"};
  made.state = {.status = status, .exit_code = exit_code, .error = {}};
  made.state.started = kNow - 60s;
  made.state.finished = kNow - 5s;
  return made;
}

std::vector<ListedContainer> some() {
  return {{.container = container("dull", ContainerStatus::Created)},
          {.container = container("busy", ContainerStatus::Running)},
          {.container = container("ended", ContainerStatus::Exited, 3)}};
}

TEST(ContainerList, TheTableIsDockers) {
  const std::vector<snapshotter::ImageRow> images = {
      {.name = "docker.io/library/app:1", .config = Digest::of("app")}};
  EXPECT_EQ(container_list_text(some(), images, {}, kNow).value(),
            "CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS              "
            "       PORTS     NAMES\n"
            "dddddddddddd   app:1     \"sh -c 'echo long li…\"   5 minutes ago   Created           "
            "                   dull\n"
            "bbbbbbbbbbbb   app:1     \"sh -c 'echo long li…\"   5 minutes ago   Up About a minute "
            "                   busy\n"
            "eeeeeeeeeeee   app:1     \"sh -c 'echo long li…\"   5 minutes ago   Exited (3) 5 "
            "seconds ago             ended\n");
}

TEST(ContainerList, AnImageWhoseNameMovedIsShownByItsId) {
  const std::vector<snapshotter::ImageRow> images = {
      {.name = "docker.io/library/app:1", .config = Digest::of("newer")}};
  const auto text = container_list_text(some(), images, {.format = "{{.Image}}"}, kNow);
  EXPECT_THAT(text.value(), HasSubstr(Digest::of("app").hex().substr(0, 12) + "\n"));
}

TEST(ContainerList, SizesAreShownWhereTheyAreAskedFor) {
  std::vector<ListedContainer> one = {some()[1]};
  one[0].size = builder::ContainerSize{.writable = 12, .root = 1'200'000};
  const std::string table = container_list_text(one, {}, {.size = true}, kNow).value();
  EXPECT_THAT(table, HasSubstr("NAMES     SIZE\n"));
  EXPECT_THAT(table, HasSubstr("busy      12B (virtual 1.2MB)\n"));
  EXPECT_EQ(container_list_text(one, {}, {.format = "{{.Size}}"}, kNow).value(),
            "12B (virtual 1.2MB)\n");
}

TEST(ContainerList, LabelsAreOneField) {
  std::vector<ListedContainer> one = {some()[1]};
  one[0].container.record.labels = {{"a", "1"}, {"b", ""}};
  EXPECT_EQ(container_list_text(one, {}, {.format = "{{.Labels}}"}, kNow).value(), "a=1,b=\n");
}

}  // namespace
}  // namespace mybuild::cli
