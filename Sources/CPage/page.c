// The page's files as bytes of the program. They are read when this file is compiled, and changing one compiles it again.
#include "CPage.h"

// C23 has it; in the C that the compiler takes by itself it is an extension.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "files/index.html"
};
static const unsigned char icon_svg[] = {
#embed "files/icon.svg"
};
static const unsigned char page_css[] = {
#embed "files/page.css"
};
static const unsigned char parts_css[] = {
#embed "files/parts.css"
};
static const unsigned char main_js[] = {
#embed "files/main.js"
};
static const unsigned char server_js[] = {
#embed "files/server.js"
};
static const unsigned char elements_js[] = {
#embed "files/elements.js"
};
static const unsigned char home_js[] = {
#embed "files/home.js"
};
static const unsigned char dataset_js[] = {
#embed "files/dataset.js"
};
static const unsigned char families_js[] = {
#embed "files/families.js"
};
static const unsigned char form_js[] = {
#embed "files/form.js"
};
static const unsigned char train_js[] = {
#embed "files/train.js"
};
static const unsigned char curve_js[] = {
#embed "files/curve.js"
};
static const unsigned char job_js[] = {
#embed "files/job.js"
};
static const unsigned char reproduce_js[] = {
#embed "files/reproduce.js"
};
static const unsigned char lists_js[] = {
#embed "files/lists.js"
};
static const unsigned char model_js[] = {
#embed "files/model.js"
};
static const unsigned char grid_js[] = {
#embed "files/grid.js"
};
static const unsigned char latents_js[] = {
#embed "files/latents.js"
};
static const unsigned char film_js[] = {
#embed "files/film.js"
};
static const unsigned char completion_js[] = {
#embed "files/completion.js"
};

#define FILE(symbol, name) {name, symbol, sizeof symbol}
static const fount_page_file files[] = {
    FILE(index_html, "index.html"),
    FILE(icon_svg, "icon.svg"),
    FILE(page_css, "page.css"),
    FILE(parts_css, "parts.css"),
    FILE(main_js, "main.js"),
    FILE(server_js, "server.js"),
    FILE(elements_js, "elements.js"),
    FILE(home_js, "home.js"),
    FILE(dataset_js, "dataset.js"),
    FILE(families_js, "families.js"),
    FILE(form_js, "form.js"),
    FILE(train_js, "train.js"),
    FILE(curve_js, "curve.js"),
    FILE(job_js, "job.js"),
    FILE(reproduce_js, "reproduce.js"),
    FILE(lists_js, "lists.js"),
    FILE(model_js, "model.js"),
    FILE(grid_js, "grid.js"),
    FILE(latents_js, "latents.js"),
    FILE(film_js, "film.js"),
    FILE(completion_js, "completion.js"),
};

size_t fount_page_count(void) { return sizeof files / sizeof files[0]; }

fount_page_file fount_page_at(size_t index) { return files[index]; }
