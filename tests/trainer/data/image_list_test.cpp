#include "trainer/data/image_list.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/trainer/data/shard_files.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImageList, ALineIsAPathAndALabel) {
  const Listing listing =
      parse_list("a/1.jpg 2\nwith space.png\t0\r\n\n  /abs/x.jpg   3  \nlast.jpg 2", "l.txt");
  const auto index = FolderIndex::of(listing);
  ASSERT_EQ(index->size(), 4);
  EXPECT_EQ(index->entry(0).path, "a/1.jpg");
  EXPECT_EQ(index->entry(0).label, 2);
  EXPECT_EQ(index->entry(1).path, "with space.png");
  EXPECT_EQ(index->entry(1).label, 0);
  EXPECT_EQ(index->entry(2).path, "/abs/x.jpg");
  EXPECT_EQ(index->entry(3).label, 2);
  EXPECT_THAT(index->class_sizes(), ElementsAre(1, 0, 2, 1));
}

TEST(ImageList, AByteOrderMarkIsNoPartOfThePath) {
  const Listing listing = parse_list(
      "\xEF\xBB\xBF"
      "a/1.jpg 0\n",
      "l.txt");
  ASSERT_EQ(listing.folders.at(0).files.size(), 1U);
  EXPECT_EQ(listing.folders[0].files[0].name, "a/1.jpg");
}

TEST(ImageList, WrongLinesAreTold) {
  const auto refused = [](const std::string& text, const std::string& part) {
    expect_error(ExitCode::data, {part}, [&] { parse_list(text, "l.txt"); });
  };
  refused("", "l.txt: lists no image");
  refused("\n \n", "lists no image");
  refused("a.jpg 1\nb.jpg\n", "l.txt:2: \"b.jpg\": expected a path");
  refused("a.jpg x\n", "l.txt:1:");
  refused("a.jpg -1\n", "l.txt:1:");
  refused("a.jpg 1.5\n", "l.txt:1:");
  refused("a.jpg 1048576\n", "from 0 to 1048575");
  refused("\n\n 7\n", "l.txt:3: \"7\"");
  refused(std::string("a\0b.jpg 1\n", 10), "l.txt:1:");
  refused("a\x1b[2J.jpg y\n", "a\\x1b[2J.jpg");
}

TEST(ImageList, SurvivesAnyText) {
  std::mt19937 random(3);
  const std::string letters = " \n\t\r/a.0129-\xFF" + std::string(1, '\0');
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = random() % 30; i > 0; --i) text += letters[random() % letters.size()];
    try {
      const Listing listing = parse_list(text, "l.txt");
      for (const ListedFile& file : listing.folders[0].files) ASSERT_FALSE(file.name.empty());
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::data);
    }
  }
}

class Lists : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i) folder.write(fmt::format("p q/{}.jpg", i), jpeg_of(colour(i)));
    folder.write("train.txt", bytes_of("p q/0.jpg 0\np q/1.jpg 1\np q/2.jpg 2\np q/3.jpg 0\n"));
    folder.write("val.txt", bytes_of("p q/4.jpg 1\n"));
    source.kind = "image-list";
    source.root = folder.path();
    source.train_list = "train.txt";
    source.test_list = "val.txt";
  }
  Folder folder;
  DataSource source;
};

TEST_F(Lists, AreADataSet) {
  const auto train = open_dataset(source, Split::train);
  EXPECT_EQ(train->size(), 4);
  EXPECT_THAT(train->class_names(), ElementsAre("0", "1", "2"));
  EXPECT_EQ(train->sample_name(1), folder.path() + "/p q/1.jpg");
  Image image;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(train->read(i, image), i % 3);
    EXPECT_LE(distance(image, colour(i)), 4);
  }
  const auto test = open_dataset(source, Split::test);
  EXPECT_EQ(test->classes(), 3) << "as the training list";
  EXPECT_EQ(test->read(0, image), 1);
  folder.write("classes.txt", bytes_of("x\ny\nz\n"));
  EXPECT_THAT(open_dataset(source, Split::test)->class_names(), ElementsAre("x", "y", "z"));
}

TEST_F(Lists, WhatIsMissingIsTold) {
  folder.write("val.txt", bytes_of("p q/9.jpg 1\np q/4.jpg 1\n"));
  Image image;
  const auto stops = open_dataset(source, Split::test);
  expect_error(ExitCode::data, {"p q/9.jpg: cannot be read"}, [&] { stops->read(0, image); });
  source.broken_limit = 1;
  EXPECT_EQ(open_dataset(source, Split::test)->read(0, image), 1);
  source.test_list = "none.txt";
  expect_error(ExitCode::data, {"none.txt: cannot be read"}, [&] { open_dataset(source, Split::test); });
  folder.write("val.txt", bytes_of("p q/4.jpg 7\n"));
  source.test_list = "val.txt";
  source.classes = 3;
  expect_error(ExitCode::data, {"has 8 classes, but data.classes says 3"},
               [&] { open_dataset(source, Split::test); });
}

}  // namespace
}  // namespace convoy
